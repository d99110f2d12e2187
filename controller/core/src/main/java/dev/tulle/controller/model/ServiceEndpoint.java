package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Comparator;
import java.util.Optional;

/**
 * What serves a port of a Service.
 *
 * @param address where others reach it for that port: its proxy, or itself when it has none
 * @param workload the instance; absent for an address outside the cluster
 * @param port the instance's own number of the port
 * @param identity what its proxy proves to be; absent where there is none: it is called in plain text
 * @param ready whether it may be sent traffic
 * @param zone its failure domain, or empty
 */
public record ServiceEndpoint(
        HostPort address,
        Optional<WorkloadId> workload,
        int port,
        Optional<SpiffeId> identity,
        boolean ready,
        String zone)
        implements Comparable<ServiceEndpoint> {
    private static final Comparator<ServiceEndpoint> ORDER = Comparator.comparing(ServiceEndpoint::address)
            .thenComparing(
                    endpoint -> endpoint.workload().map(WorkloadId::toString).orElse(""));

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
