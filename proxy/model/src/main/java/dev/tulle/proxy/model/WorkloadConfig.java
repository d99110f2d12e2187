package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A proxy's own side: who it is, what it accepts for its application, and which local ports it opens to it.
 *
 * @param workload the instance
 * @param owner name of the Deployment (or its like) the instance belongs to: label of metrics
 * @param identity whom it proves to be
 * @param inbound ordered by port
 * @param outbound ordered by listen address; empty where traffic is redirected
 * @param policy who may call
 * @param meshNetworks CIDRs inside which nothing leaves in plain text by accident
 * @param healthCheck how to tell that the application is well; absent means it always is
 * @param zone its failure domain, or empty
 * @param probes what is let in whoever asks, ordered by port
 * @param opaquePorts of those that traffic is redirected from without being declared in {@code inbound}: where bytes are opaque;
 *     on all others the protocol is detected. {@code policy} holds for them as for the declared ones
 */
public record WorkloadConfig(
        WorkloadId workload,
        String owner,
        SpiffeId identity,
        List<InboundPort> inbound,
        List<OutboundListener> outbound,
        InboundPolicy policy,
        List<String> meshNetworks,
        Optional<HealthCheck> healthCheck,
        String zone,
        List<Probe> probes,
        List<Integer> opaquePorts) {
    /** One without probes, and without anything said of undeclared ports. */
    public WorkloadConfig(
            WorkloadId workload,
            String owner,
            SpiffeId identity,
            List<InboundPort> inbound,
            List<OutboundListener> outbound,
            InboundPolicy policy,
            List<String> meshNetworks,
            Optional<HealthCheck> healthCheck,
            String zone) {
        this(
                workload,
                owner,
                identity,
                inbound,
                outbound,
                policy,
                meshNetworks,
                healthCheck,
                zone,
                List.of(),
                List.of());
    }

    /** One in no zone. */
    public WorkloadConfig(
            WorkloadId workload,
            String owner,
            SpiffeId identity,
            List<InboundPort> inbound,
            List<OutboundListener> outbound,
            InboundPolicy policy,
            List<String> meshNetworks,
            Optional<HealthCheck> healthCheck) {
        this(workload, owner, identity, inbound, outbound, policy, meshNetworks, healthCheck, "");
    }

    public WorkloadConfig {
        requireNonNull(workload, "workload");
        requireNonNull(owner, "owner");
        requireNonNull(identity, "identity");
        inbound = List.copyOf(inbound);
        outbound = List.copyOf(outbound);
        requireNonNull(policy, "policy");
        meshNetworks = List.copyOf(meshNetworks);
        requireNonNull(healthCheck, "healthCheck");
        requireNonNull(zone, "zone");
        probes = List.copyOf(probes);
        opaquePorts = List.copyOf(opaquePorts);
    }

    /**
     * A question whether the application is well, asked by the platform, which has no identity: exactly this is let in whatever the
     * policy says, and nothing else.
     *
     * @param port the number callers know (the container port)
     * @param kind how it is asked
     * @param path of an HTTP GET without a body, beginning with a slash, with its query if it has one; empty for gRPC, where it is
     *     {@code grpc.health.v1.Health/Check}
     */
    public record Probe(int port, Kind kind, String path) {
        public Probe {
            requireNonNull(kind, "kind");
            requireNonNull(path, "path");
            if (port < 1 || port > 65535) {
                throw new IllegalArgumentException("probe port is %d, not 1 to 65535".formatted(port));
            }
            if (path.startsWith("/") != (kind == Kind.HTTP)) {
                throw new IllegalArgumentException("probe path of kind %s is '%s'".formatted(kind.wireName(), path));
            }
        }

        /** How a probe asks. */
        public enum Kind {
            HTTP,
            GRPC;

            /** The word on the wire: the name in lower case. */
            public String wireName() {
                return name().toLowerCase(Locale.ROOT);
            }
        }
    }

    /**
     * How a proxy looks after its application.
     *
     * @param address where to look
     * @param path HTTP GET, 200 to 399 is well; empty for a TCP connect
     * @param intervalMillis between looks, 100 or more
     */
    public record HealthCheck(HostPort address, String path, int intervalMillis) {
        public HealthCheck {
            requireNonNull(address, "address");
            requireNonNull(path, "path");
            if (intervalMillis < 100) {
                throw new IllegalArgumentException(
                        "health check interval is %d ms, less than 100".formatted(intervalMillis));
            }
        }
    }
}
