/**
 * The SMI kinds as values in one version, and the reader that makes them from documents of every version.
 *
 * <p>Only reading: what an object means for traffic is decided by its readers. Source: SMI specification v0.6.0 (split v1alpha1 to
 * v1alpha4, access v1alpha1 to v1alpha3, specs v1alpha1 to v1alpha4).
 */
@NullMarked
package dev.tulle.smi;

import org.jspecify.annotations.NullMarked;
