/** The command: which cases are run, against which cluster, and what its exit code says. */
@NullMarked
package dev.tulle.conformance.smi;

import org.jspecify.annotations.NullMarked;
