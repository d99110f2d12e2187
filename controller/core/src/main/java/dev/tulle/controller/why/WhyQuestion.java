package dev.tulle.controller.why;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * May one call another, and why?
 *
 * <p>Names are {@code namespace/name}, or a name alone where no other namespace has the same; a prefix {@code workload:}, {@code service:}
 * or {@code sa:} says which kind is meant. A workload may also be named by its owner.
 *
 * @param from the caller: a workload, a service (its workloads), a service account, tried in this order, or a SPIFFE ID or
 *     {@value #UNMESHED}
 * @param to the called: a service, a workload or a service account (its workloads), tried in this order
 * @param port of the service or workload; may be absent when there is only one
 * @param request what would be sent; absent asks about a connection, or about {@code GET /} where the port speaks HTTP
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
