package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * One address that serves a cluster.
 *
 * @param address where to dial: the endpoint's proxy, or the application itself when unmeshed
 * @param workload the instance, {@code namespace/name}; empty when unknown
 * @param identity what its certificate must prove; absent means unmeshed: dialled in plain text
 * @param zone failure domain, or empty
 */
public record Endpoint(HostPort address, String workload, Optional<SpiffeId> identity, String zone) {
    public Endpoint {
        requireNonNull(address, "address");
        requireNonNull(workload, "workload");
        requireNonNull(identity, "identity");
        requireNonNull(zone, "zone");
    }
}
