/**
 * Conversion of SMI objects between their versions, both ways and without loss.
 *
 * <p>Works on JSON trees, as a Kubernetes conversion webhook needs it. What a version cannot say travels in one annotation.
 */
@NullMarked
package dev.tulle.smi.convert;

import org.jspecify.annotations.NullMarked;
