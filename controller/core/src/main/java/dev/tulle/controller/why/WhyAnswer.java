package dev.tulle.controller.why;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * What would become of a call.
 *
 * @param outcome in one word
 * @param summary in one sentence
 * @param caller identity as URI, or {@code unmeshed}; empty when it is not known
 * @param called the Service or workload and its port, {@code namespace/name:port}; empty when it is not known
 * @param route the TrafficSplit that would take the call, {@code namespace/name}; empty for the plain Service
 * @param routeReason why that one, one sentence
 * @param backends where the call may end, one entry for each cluster and identity with weight, in order of the route
 */
public record WhyAnswer(
        Outcome outcome,
        String summary,
        String caller,
        String called,
        String route,
        String routeReason,
        List<BackendAnswer> backends) {
    public WhyAnswer {
        requireNonNull(outcome, "outcome");
        requireNonNull(summary, "summary");
        requireNonNull(caller, "caller");
        requireNonNull(called, "called");
        requireNonNull(route, "route");
        requireNonNull(routeReason, "routeReason");
        backends = List.copyOf(backends);
    }

    /** What would become of it, in one word. */
    public enum Outcome {
        /** It passes wherever it may end. */
        ALLOWED,
        /** It passes though no grant allows it: access is {@code audit}. */
        AUDITED,
        /** It is refused wherever it may end. */
        DENIED,
        /** Some backends let it in, others refuse it. */
        PARTLY,
        /** Nothing is there to answer it: 503. */
        NO_ENDPOINTS,
        /** The proxy refuses the request itself as malformed: 400. */
        MALFORMED,
        /** The question names something that is not there. */
        UNKNOWN
    }

    /**
     * What one backend would say.
     *
     * @param cluster the Service, {@code namespace/name}; empty when a workload was asked for
     * @param weight its share of the route
     * @param identity of its workloads, as URI
     * @param workloads {@code namespace/name} of each
     * @param allowed whether the call passes
     * @param audited whether it passes only because access is {@code audit}
     * @param reason wire word of the verdict
     * @param detail one sentence
     * @param access the setting that holds: open, closed or audit
     * @param accessFrom where that setting comes from
     * @param grants what each TrafficTarget says
     * @param cure YAML of objects that would allow the call; empty when it passes
     */
    public record BackendAnswer(
            String cluster,
            long weight,
            String identity,
            List<String> workloads,
            boolean allowed,
            boolean audited,
            String reason,
            String detail,
            String access,
            String accessFrom,
            List<GrantAnswer> grants,
            String cure) {
        public BackendAnswer {
            requireNonNull(cluster, "cluster");
            requireNonNull(identity, "identity");
            workloads = List.copyOf(workloads);
            requireNonNull(reason, "reason");
            requireNonNull(detail, "detail");
            requireNonNull(access, "access");
            requireNonNull(accessFrom, "accessFrom");
            grants = List.copyOf(grants);
            requireNonNull(cure, "cure");
        }
    }

    /**
     * What one TrafficTarget says of the call.
     *
     * @param target {@code namespace/name}
     * @param allows whether it lets the call in
     * @param explanation one sentence
     */
    public record GrantAnswer(String target, boolean allows, String explanation) {
        public GrantAnswer {
            requireNonNull(target, "target");
            requireNonNull(explanation, "explanation");
        }
    }
}
