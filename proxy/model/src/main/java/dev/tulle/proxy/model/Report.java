package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * What a proxy saw since its last report: counts are differences, the rest is as of now.
 *
 * @param edges one entry a combination seen, at most {@link #MAX_EDGES}; more go into one whose peer is {@code other}
 * @param denials newest refusals, at most {@link #MAX_DENIALS}
 * @param acts what resilience did since the last report, at most {@link #MAX_ACTS}
 * @param connections open connections of all listeners
 * @param certificateExpiry end of the leaf, seconds since 1970; 0 without one
 * @param issuer lower-case hex authority key identifier of the leaf; empty without one
 */
public record Report(
        List<Edge> edges,
        List<Denial> denials,
        List<Act> acts,
        long connections,
        long certificateExpiry,
        String issuer) {
    public static final int MAX_EDGES = 1000;
    public static final int MAX_DENIALS = 20;
    public static final int MAX_ACTS = 500;

    /** A report of a proxy that resilience had nothing to do for. */
    public Report(List<Edge> edges, List<Denial> denials, long connections, long certificateExpiry, String issuer) {
        this(edges, denials, List.of(), connections, certificateExpiry, issuer);
    }

    public Report {
        edges = List.copyOf(edges);
        denials = List.copyOf(denials);
        acts = List.copyOf(acts);
        requireNonNull(issuer, "issuer");
        if (edges.size() > MAX_EDGES || denials.size() > MAX_DENIALS || acts.size() > MAX_ACTS) {
            throw new IllegalArgumentException("a report of %d edges, %d denials and %d acts is too large"
                    .formatted(edges.size(), denials.size(), acts.size()));
        }
    }

    /**
     * Something that resilience did to calls of one Service.
     *
     * @param service outbound: the Service that was called, {@code namespace/name}; inbound: the port as a number
     * @param what a word of a closed set, such as {@code retry}, {@code timeout} or {@code ejection}
     * @param count how often since the last report
     * @param now how many at this moment, for what lasts ({@code ejection}: endpoints left out); else 0
     */
    public record Act(String service, String what, long count, long now) {
        public Act {
            requireNonNull(service, "service");
            requireNonNull(what, "what");
            if (count < 0 || now < 0) {
                throw new IllegalArgumentException(
                        "%s of %s: %d and %d now, none may be negative".formatted(what, service, count, now));
            }
        }
    }

    /** Which way the traffic went, seen from the application beside the proxy. */
    public enum Direction {
        INBOUND,
        OUTBOUND
    }

    /**
     * Traffic of one kind with one peer.
     *
     * @param direction seen from the reporting proxy
     * @param peer identity of the other side as URI; empty for one without identity
     * @param service inbound: empty; outbound: the Service that was called, {@code namespace/name}
     * @param backend inbound: the port as a number; outbound: the cluster that was chosen
     * @param http whether {@code requests} are HTTP requests; else connections
     * @param mtls whether it went over mutual TLS
     * @param requests ended since the last report; denied ones are not among them
     * @param failures of them: answers of 500 and above, gRPC failures, cut or failed connections
     * @param denied refused by policy since the last report
     * @param latency counts of {@code requests} by the buckets of {@link LatencyBuckets}, pairs of index and count in one list:
     *     {@code [i0, n0, i1, n1, …]}, indexes rising; time to the first byte of the answer
     */
    public record Edge(
            Direction direction,
            String peer,
            String service,
            String backend,
            boolean http,
            boolean mtls,
            long requests,
            long failures,
            long denied,
            List<Long> latency) {
        public Edge {
            requireNonNull(direction, "direction");
            requireNonNull(peer, "peer");
            requireNonNull(service, "service");
            requireNonNull(backend, "backend");
            latency = List.copyOf(latency);
            // Failures may exceed requests: each is counted by itself, and a report may be made in between.
            if (requests < 0 || failures < 0 || denied < 0) {
                throw new IllegalArgumentException("%d requests, %d failures and %d denied: none may be negative"
                        .formatted(requests, failures, denied));
            }
            if (latency.size() % 2 != 0) {
                throw new IllegalArgumentException("latency has %d numbers, not pairs".formatted(latency.size()));
            }
            long before = -1;
            for (int i = 0; i < latency.size(); i += 2) {
                long index = latency.get(i);
                if (index <= before || index >= LatencyBuckets.count() || latency.get(i + 1) < 0) {
                    throw new IllegalArgumentException("latency counts %d in bucket %d after bucket %d"
                            .formatted(latency.get(i + 1), index, before));
                }
                before = index;
            }
        }
    }

    /**
     * One refused call.
     *
     * @param at milliseconds since 1970
     * @param peer identity of the caller as URI; empty for one without identity
     * @param port the inbound port
     * @param method HTTP method; empty for an opaque connection
     * @param path normalised, without query, at most 256 characters; empty for an opaque connection
     * @param reason wire word of the verdict's reason
     * @param detail one sentence for people
     * @param audited whether it was let pass all the same
     */
    public record Denial(
            long at, String peer, int port, String method, String path, String reason, String detail, boolean audited) {
        public Denial {
            requireNonNull(peer, "peer");
            requireNonNull(method, "method");
            requireNonNull(path, "path");
            requireNonNull(reason, "reason");
            requireNonNull(detail, "detail");
        }
    }
}
