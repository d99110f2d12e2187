/** What the proxy counts, and the two forms in which it tells it: reports to the controller and Prometheus text. */
@NullMarked
package dev.tulle.proxy.telemetry;

import org.jspecify.annotations.NullMarked;
