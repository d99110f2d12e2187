/** Tests of what an operator does to Tulle and what may happen to it: install, remove, absence, secrets. */
@NullMarked
package dev.tulle.conformance.kubernetes.install;

import org.jspecify.annotations.NullMarked;
