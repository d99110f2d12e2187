package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig.HealthCheck;
import dev.tulle.proxy.model.WorkloadConfig.Probe;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Optional;

/**
 * One instance with a proxy beside it.
 *
 * @param id its name
 * @param owner the Deployment (or its like) it belongs to
 * @param identity whom it proves to be
 * @param inbound its ports, ordered by number
 * @param outbound local ports its proxy opens to it, ordered by address
 * @param access who may call it
 * @param healthCheck how its proxy tells that the application is well
 * @param ready whether it may be sent traffic
 * @param zone its failure domain, or empty
 * @param probes what its platform may ask its application, ordered by port, kind and path
 * @param opaquePorts of those not in {@code inbound}: where bytes are opaque, ordered
 */
public record Workload(
        WorkloadId id,
        String owner,
        SpiffeId identity,
        List<InboundPort> inbound,
        List<OutboundListener> outbound,
        WorkloadAccess access,
        Optional<HealthCheck> healthCheck,
        boolean ready,
        String zone,
        List<Probe> probes,
        List<Integer> opaquePorts) {
    public Workload {
        requireNonNull(id, "id");
        requireNonNull(owner, "owner");
        requireNonNull(identity, "identity");
        inbound = List.copyOf(inbound);
        outbound = List.copyOf(outbound);
        requireNonNull(access, "access");
        requireNonNull(healthCheck, "healthCheck");
        requireNonNull(zone, "zone");
        probes = List.copyOf(probes);
        opaquePorts = List.copyOf(opaquePorts);
    }
}
