package dev.tulle.controller.translate;

import dev.tulle.controller.model.Mesh;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Optional;

/** Reads off the mesh what one proxy is told. The same mesh gives equal values. */
public final class ProxyConfigs {
    private ProxyConfigs() {}

    /** The proxy's own side; absent when the mesh has no such workload. */
    public static Optional<WorkloadConfig> workloadConfig(Mesh mesh, WorkloadId workload) {
        throw new UnsupportedOperationException();
    }

    /**
     * One destination as a workload sees it.
     *
     * <p>A Service or port that is not there is answered as one without endpoints (503), an address that is no Service's as not in
     * the mesh.
     */
    public static Destination destination(Mesh mesh, WorkloadId viewer, DestinationKey key) {
        throw new UnsupportedOperationException();
    }
}
