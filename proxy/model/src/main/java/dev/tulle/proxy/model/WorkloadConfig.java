package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
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
        String zone) {
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
