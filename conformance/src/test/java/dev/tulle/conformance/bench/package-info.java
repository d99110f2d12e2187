/** Measures what two sidecars cost beside the direct path; started by {@code conformance/bench/run}. */
@NullMarked
package dev.tulle.conformance.bench;

import org.jspecify.annotations.NullMarked;
