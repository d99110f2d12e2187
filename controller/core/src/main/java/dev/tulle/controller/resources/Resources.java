package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.WorkloadId;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything watched, at one moment. Lists are ordered by namespace and name, so that equal objects give equal values.
 *
 * @param settings of the whole mesh
 * @param unready workloads known not to be ready; whoever is not named counts as ready
 * @param origins the files objects came from, where they came from files
 * @param problems met while reading, in {@link Problem#ORDER}
 */
public record Resources(
        List<NamespaceResource> namespaces,
        List<ServiceResource> services,
        List<WorkloadResource> workloads,
        List<ServiceAccountResource> serviceAccounts,
        MeshSettings settings,
        SortedSet<WorkloadId> unready,
        SortedMap<ObjectRef, Origin> origins,
        List<Problem> problems) {
    public Resources {
        namespaces = List.copyOf(namespaces);
        services = List.copyOf(services);
        workloads = List.copyOf(workloads);
        serviceAccounts = List.copyOf(serviceAccounts);
        requireNonNull(settings, "settings");
        unready = Collections.unmodifiableSortedSet(new TreeSet<>(unready));
        origins = Collections.unmodifiableSortedMap(new TreeMap<>(origins));
        problems = problems.stream().distinct().sorted(Problem.ORDER).toList();
    }

    /** The same with other workloads known not to be ready. */
    public Resources withUnready(Set<WorkloadId> workloads) {
        return new Resources(
                namespaces,
                services,
                this.workloads,
                serviceAccounts,
                settings,
                new TreeSet<>(workloads),
                origins,
                problems);
    }
}
