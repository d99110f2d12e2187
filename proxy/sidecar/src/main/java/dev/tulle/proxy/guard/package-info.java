/** Resilience at work: timers, retries, endpoints left out, limits and faults of the calls of one destination, and rates of callers. */
@NullMarked
package dev.tulle.proxy.guard;

import org.jspecify.annotations.NullMarked;
