package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.translate.ProxyConfigs;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** One mesh and one trust bundle, and what each proxy is told of them; worked out once, when first asked. Safe for all threads. */
public final class Snapshot {
    private final Mesh mesh;
    private final TrustBundle trust;
    private final Map<WorkloadId, Optional<WorkloadConfig>> workloads = new ConcurrentHashMap<>();
    private final Map<Seen, Destination> destinations = new ConcurrentHashMap<>();

    public Snapshot(Mesh mesh, TrustBundle trust) {
        this.mesh = requireNonNull(mesh, "mesh");
        this.trust = requireNonNull(trust, "trust");
    }

    public Mesh mesh() {
        return mesh;
    }

    public TrustBundle trust() {
        return trust;
    }

    /** The proxy's own side; absent when the mesh has no such workload. */
    Optional<WorkloadConfig> workload(WorkloadId workload) {
        return workloads.computeIfAbsent(workload, id -> ProxyConfigs.workloadConfig(mesh, id));
    }

    /** A destination as the workload sees it. */
    Destination destination(WorkloadId viewer, DestinationKey key) {
        return destinations.computeIfAbsent(
                new Seen(viewer, key), seen -> ProxyConfigs.destination(mesh, seen.viewer(), seen.key()));
    }

    private record Seen(WorkloadId viewer, DestinationKey key) {}
}
