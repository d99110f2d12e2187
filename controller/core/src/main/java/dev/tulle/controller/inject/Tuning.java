package dev.tulle.controller.inject;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * What a pod's author asks of its proxy; see {@link TuningAnnotations} for the words.
 *
 * @param skipInboundPorts ports and ranges such as {@code 8000-8100} that callers reach without the proxy, in order
 * @param skipOutboundPorts ports and ranges the application dials without the proxy, in order
 * @param skipOutboundCidrs networks the application dials without the proxy
 * @param cpuRequest a Kubernetes quantity, like the next three
 * @param cpuLimit absent: none
 * @param logLevel a word of the proxy's
 * @param metrics other meshes whose names for metrics the proxy uses too
 * @param concurrency event loops; absent leaves it to the proxy
 * @param preStopSeconds how long an application that is to end goes on while callers learn of it; 0: not at all
 * @param drainSeconds how long the proxy waits for what is in flight
 */
public record Tuning(
        List<String> skipInboundPorts,
        List<String> skipOutboundPorts,
        List<String> skipOutboundCidrs,
        String cpuRequest,
        Optional<String> cpuLimit,
        String memoryRequest,
        String memoryLimit,
        Optional<String> logLevel,
        List<String> metrics,
        Optional<Integer> concurrency,
        int preStopSeconds,
        int drainSeconds) {
    public Tuning {
        skipInboundPorts = List.copyOf(skipInboundPorts);
        skipOutboundPorts = List.copyOf(skipOutboundPorts);
        skipOutboundCidrs = List.copyOf(skipOutboundCidrs);
        requireNonNull(cpuRequest, "cpuRequest");
        requireNonNull(cpuLimit, "cpuLimit");
        requireNonNull(memoryRequest, "memoryRequest");
        requireNonNull(memoryLimit, "memoryLimit");
        requireNonNull(logLevel, "logLevel");
        metrics = List.copyOf(metrics);
        requireNonNull(concurrency, "concurrency");
    }
}
