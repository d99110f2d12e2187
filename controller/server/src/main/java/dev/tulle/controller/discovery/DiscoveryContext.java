package dev.tulle.controller.discovery;

import io.vertx.core.Vertx;
import java.time.Clock;

/**
 * What every stream of one server shares.
 *
 * @param readinessChanged told, from event loops, that a workload may have become ready or unready; must not block
 */
record DiscoveryContext(
        Vertx vertx,
        Publisher publisher,
        ProxyRegistry registry,
        Refusals refusals,
        StreamCounters counters,
        ReportSink reports,
        Runnable readinessChanged,
        DiscoveryLimits limits,
        Clock clock) {}
