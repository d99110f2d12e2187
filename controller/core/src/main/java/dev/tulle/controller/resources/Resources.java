package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.smi.HTTPRouteGroup;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.TCPRoute;
import dev.tulle.smi.TrafficSplit;
import dev.tulle.smi.TrafficTarget;
import dev.tulle.smi.UDPRoute;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Everything watched, at one moment. Lists are ordered by namespace and name, so that equal objects give equal values.
 *
 * @param targets also what is left of those that could not be read: without sources and rules they grant nothing and keep closed
 *     what they guarded
 * @param settings of the whole mesh
 * @param unready workloads known not to be ready; whoever is not named counts as ready
 * @param origins the files objects came from, where they came from files
 * @param problems met while reading, in {@link Problem#ORDER}
 */
public record Resources(
        List<NamespaceResource> namespaces,
        List<ServiceResource> services,
        List<EndpointSliceResource> slices,
        List<WorkloadResource> workloads,
        List<ServiceAccountResource> serviceAccounts,
        List<TrafficSplit> splits,
        List<TrafficTarget> targets,
        List<HTTPRouteGroup> routeGroups,
        List<TCPRoute> tcpRoutes,
        List<UDPRoute> udpRoutes,
        MeshSettings settings,
        SortedSet<WorkloadId> unready,
        SortedMap<ObjectRef, Origin> origins,
        List<Problem> problems) {
    public Resources {
        namespaces = sorted(namespaces, NamespaceResource::ref);
        services = sorted(services, ServiceResource::ref);
        slices = sorted(slices, EndpointSliceResource::ref);
        workloads = sorted(workloads, WorkloadResource::ref);
        serviceAccounts = sorted(serviceAccounts, ServiceAccountResource::ref);
        splits = sorted(splits, Resources::ref);
        targets = sorted(targets, Resources::ref);
        routeGroups = sorted(routeGroups, Resources::ref);
        tcpRoutes = sorted(tcpRoutes, Resources::ref);
        udpRoutes = sorted(udpRoutes, Resources::ref);
        requireNonNull(settings, "settings");
        unready = Collections.unmodifiableSortedSet(new TreeSet<>(unready));
        origins = Collections.unmodifiableSortedMap(new TreeMap<>(origins));
        problems = problems.stream().distinct().sorted(Problem.ORDER).toList();
    }

    /** The name of an SMI object. */
    public static ObjectRef ref(SmiObject object) {
        return new ObjectRef(
                object.kind().kind(),
                object.metadata().namespace(),
                object.metadata().name());
    }

    /** The same with other workloads known not to be ready. */
    public Resources withUnready(Set<WorkloadId> others) {
        return new Resources(
                namespaces,
                services,
                slices,
                workloads,
                serviceAccounts,
                splits,
                targets,
                routeGroups,
                tcpRoutes,
                udpRoutes,
                settings,
                new TreeSet<>(others),
                origins,
                problems);
    }

    /** The same in another trust domain than its settings say. */
    public Resources withTrustDomain(String name) {
        return new Resources(
                namespaces,
                services,
                slices,
                workloads,
                serviceAccounts,
                splits,
                targets,
                routeGroups,
                tcpRoutes,
                udpRoutes,
                new MeshSettings(Optional.of(name), settings.rootGeneration(), settings.networks(), settings.access()),
                unready,
                origins,
                problems);
    }

    /** The same with one SMI object more, in the place of the one of its name. */
    public Resources with(SmiObject object) {
        return new Resources(
                namespaces,
                services,
                slices,
                workloads,
                serviceAccounts,
                replaced(splits, object, TrafficSplit.class),
                replaced(targets, object, TrafficTarget.class),
                replaced(routeGroups, object, HTTPRouteGroup.class),
                replaced(tcpRoutes, object, TCPRoute.class),
                replaced(udpRoutes, object, UDPRoute.class),
                settings,
                unready,
                origins,
                problems);
    }

    private static <T extends SmiObject> List<T> replaced(List<T> objects, SmiObject object, Class<T> type) {
        if (!type.isInstance(object)) {
            return objects;
        }
        List<T> all = new ArrayList<>(objects);
        all.removeIf(other -> ref(other).equals(ref(object)));
        all.add(type.cast(object));
        return all;
    }

    private static <T> List<T> sorted(List<T> objects, Function<? super T, ObjectRef> ref) {
        return objects.stream().sorted(Comparator.comparing(ref)).toList();
    }

    /** Nothing yet. */
    public static Builder builder() {
        return new Builder();
    }

    /** Gathers objects one by one. Not thread-safe. */
    public static final class Builder {
        private final List<NamespaceResource> namespaces = new ArrayList<>();
        private final List<ServiceResource> services = new ArrayList<>();
        private final List<EndpointSliceResource> slices = new ArrayList<>();
        private final List<WorkloadResource> workloads = new ArrayList<>();
        private final List<ServiceAccountResource> serviceAccounts = new ArrayList<>();
        private final List<TrafficSplit> splits = new ArrayList<>();
        private final List<TrafficTarget> targets = new ArrayList<>();
        private final List<HTTPRouteGroup> routeGroups = new ArrayList<>();
        private final List<TCPRoute> tcpRoutes = new ArrayList<>();
        private final List<UDPRoute> udpRoutes = new ArrayList<>();
        private final SortedSet<WorkloadId> unready = new TreeSet<>();
        private final SortedMap<ObjectRef, Origin> origins = new TreeMap<>();
        private final List<Problem> problems = new ArrayList<>();
        private MeshSettings settings = MeshSettings.NONE;

        private Builder() {}

        public Builder add(NamespaceResource namespace) {
            namespaces.add(namespace);
            return this;
        }

        public Builder add(ServiceResource service) {
            services.add(service);
            return this;
        }

        public Builder add(EndpointSliceResource slice) {
            slices.add(slice);
            return this;
        }

        public Builder add(WorkloadResource workload) {
            workloads.add(workload);
            return this;
        }

        public Builder add(ServiceAccountResource serviceAccount) {
            serviceAccounts.add(serviceAccount);
            return this;
        }

        public Builder add(SmiObject object) {
            switch (object) {
                case TrafficSplit split -> splits.add(split);
                case TrafficTarget target -> targets.add(target);
                case HTTPRouteGroup group -> routeGroups.add(group);
                case TCPRoute route -> tcpRoutes.add(route);
                case UDPRoute route -> udpRoutes.add(route);
            }
            return this;
        }

        public Builder settings(MeshSettings value) {
            settings = value;
            return this;
        }

        public Builder unready(WorkloadId workload) {
            unready.add(workload);
            return this;
        }

        public Builder origins(Map<ObjectRef, Origin> values) {
            origins.putAll(values);
            return this;
        }

        public Builder problems(Collection<Problem> values) {
            problems.addAll(values);
            return this;
        }

        public Resources build() {
            return new Resources(
                    namespaces,
                    services,
                    slices,
                    workloads,
                    serviceAccounts,
                    splits,
                    targets,
                    routeGroups,
                    tcpRoutes,
                    udpRoutes,
                    settings,
                    unready,
                    origins,
                    problems);
        }
    }
}
