package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Comparator;

/**
 * A workload that serves a port of a Service.
 *
 * @param address where others reach its proxy for that port
 * @param workload the instance
 * @param port the workload's own number of the port
 * @param identity what its proxy proves to be
 * @param ready whether it may be sent traffic
 * @param zone its failure domain, or empty
 */
public record ServiceEndpoint(
        HostPort address, WorkloadId workload, int port, SpiffeId identity, boolean ready, String zone)
        implements Comparable<ServiceEndpoint> {
    private static final Comparator<ServiceEndpoint> ORDER =
            Comparator.comparing(ServiceEndpoint::address).thenComparing(ServiceEndpoint::workload);

    public ServiceEndpoint {
        requireNonNull(address, "address");
        requireNonNull(workload, "workload");
        requireNonNull(identity, "identity");
        requireNonNull(zone, "zone");
    }

    @Override
    public int compareTo(ServiceEndpoint other) {
        return ORDER.compare(this, other);
    }
}
