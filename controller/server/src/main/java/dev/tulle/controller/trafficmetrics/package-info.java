/** The SMI TrafficMetrics API ({@code metrics.smi-spec.io}), which the API server's aggregator asks: numbers from the proxies' reports. */
@NullMarked
package dev.tulle.controller.trafficmetrics;

import org.jspecify.annotations.NullMarked;
