package dev.tulle.controller.why;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * May one call another, and why?
 *
 * <p>Names are {@code namespace/name}, {@code name.namespace} or a name alone in the namespace {@code default}; a prefix
 * {@code workload:}, {@code service:} or {@code sa:} says which kind is meant, else they are tried in this order.
 *
 * @param from the caller: a workload, a service (its workloads), a service account, a SPIFFE ID or {@value #UNMESHED}
 * @param to the called: a service or a workload
 * @param port of the service or workload; may be absent when there is only one
 * @param request what would be sent; absent asks about an opaque connection
 */
public record WhyQuestion(String from, String to, Optional<Integer> port, Optional<AskedRequest> request) {
    /** A caller without identity. */
    public static final String UNMESHED = "unmeshed";

    public WhyQuestion {
        requireNonNull(from, "from");
        requireNonNull(to, "to");
        requireNonNull(port, "port");
        requireNonNull(request, "request");
    }
}
