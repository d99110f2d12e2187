package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.WorkloadId;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The whole mesh with every reference resolved; what proxies are told is read off it.
 *
 * @param trustDomain of every identity in it
 * @param networks CIDRs inside which nothing leaves in plain text by accident
 * @param services by name
 * @param workloads those with a proxy, by name
 * @param addresses what the addresses that applications dial stand for
 */
public record Mesh(
        String trustDomain,
        List<String> networks,
        SortedMap<ServiceName, Service> services,
        SortedMap<WorkloadId, Workload> workloads,
        Addresses addresses) {
    /** One whose addresses are those of its Services alone. */
    public Mesh(
            String trustDomain,
            List<String> networks,
            SortedMap<ServiceName, Service> services,
            SortedMap<WorkloadId, Workload> workloads) {
        this(trustDomain, networks, services, workloads, Addresses.of(services.values()));
    }

    public Mesh {
        requireNonNull(trustDomain, "trustDomain");
        networks = List.copyOf(networks);
        services = Collections.unmodifiableSortedMap(new TreeMap<>(services));
        workloads = Collections.unmodifiableSortedMap(new TreeMap<>(workloads));
        requireNonNull(addresses, "addresses");
    }

    /** The Service of this name. */
    public Optional<Service> service(ServiceName name) {
        return Optional.ofNullable(services.get(name));
    }

    /** The workload of this name. */
    public Optional<Workload> workload(WorkloadId id) {
        return Optional.ofNullable(workloads.get(id));
    }
}
