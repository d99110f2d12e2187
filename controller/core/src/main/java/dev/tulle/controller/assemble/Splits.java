package dev.tulle.controller.assemble;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import dev.tulle.controller.model.Backend;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.smi.SmiKind;
import dev.tulle.smi.TrafficSplit;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Lays the TrafficSplits over the Services they name as root.
 *
 * <p>Splits with matches come before the one without; of several without, the oldest by creation, then by name, holds. A backend takes
 * part in a port when its Service has a port of the same number; a port that no backend has stays with the root. Splits are not
 * followed from backend to backend. Source: SMI TrafficSplit v1alpha4.
 */
final class Splits {
    /** An object without a time stands in a file: younger than any from a cluster. */
    private static final Comparator<TrafficSplit> OLDEST_FIRST = Comparator.comparing(
                    (TrafficSplit split) -> split.metadata().creationTimestamp().orElse(Instant.MAX))
            .thenComparing(split -> split.metadata().name());

    private final SortedMap<ServiceName, Service> services;
    private final RouteGroups groups;
    private final AccessSettings settings;
    private final Problems problems;

    private Splits(
            SortedMap<ServiceName, Service> services, RouteGroups groups, AccessSettings settings, Problems problems) {
        this.services = services;
        this.groups = groups;
        this.settings = settings;
        this.problems = problems;
    }

    /** The services with their splits. */
    static SortedMap<ServiceName, Service> over(
            SortedMap<ServiceName, Service> services,
            List<TrafficSplit> splits,
            RouteGroups groups,
            AccessSettings settings,
            Problems problems) {
        Splits all = new Splits(services, groups, settings, problems);
        Map<ServiceName, List<TrafficSplit>> byRoot =
                splits.stream().collect(groupingBy(Splits::root, TreeMap::new, toList()));
        SortedMap<ServiceName, Service> result = new TreeMap<>(services);
        byRoot.forEach((root, ofRoot) -> {
            List<TrafficSplit> usable = all.usable(root, ofRoot);
            Service service = services.get(root);
            if (service != null) {
                result.put(root, all.lay(service, usable));
            }
        });
        return result;
    }

    private static ServiceName root(TrafficSplit split) {
        return new ServiceName(split.metadata().namespace(), split.service());
    }

    /** Those that can be used, in order of precedence. */
    private List<TrafficSplit> usable(ServiceName root, List<TrafficSplit> splits) {
        List<TrafficSplit> withMatches = new ArrayList<>();
        List<TrafficSplit> plain = new ArrayList<>();
        for (TrafficSplit split : splits.stream().sorted(OLDEST_FIRST).toList()) {
            ObjectRef ref = Resources.ref(split);
            if (!services.containsKey(root)) {
                problems.missing(
                        Severity.WARNING,
                        ref,
                        "spec.service",
                        "there is no Service %s".formatted(root),
                        "the split has no effect until there is",
                        new ObjectRef("Service", root.namespace(), root.name()));
            } else if (!split.matches().isEmpty()) {
                if (hasItsGroups(ref, split)) {
                    withMatches.add(split);
                }
            } else if (plain.isEmpty()) {
                plain.add(split);
            } else {
                problems.error(
                        ref,
                        "spec.service",
                        "conflicts with TrafficSplit %s, which splits %s too; remove one, or give this one 'matches'"
                                .formatted(plain.get(0).metadata().id(), root),
                        "the other one holds");
            }
        }
        withMatches.addAll(plain);
        return withMatches;
    }

    private boolean hasItsGroups(ObjectRef ref, TrafficSplit split) {
        boolean all = true;
        for (int i = 0; i < split.matches().size(); i++) {
            String id = split.metadata().namespace() + "/" + split.matches().get(i);
            if (!groups.has(id)) {
                problems.missing(
                        Severity.ERROR,
                        ref,
                        "spec.matches[%d].name".formatted(i),
                        "there is no HTTPRouteGroup %s; make it or correct the name".formatted(id),
                        "the split is left out: its requests go to the root or to the split without matches",
                        new ObjectRef(
                                SmiKind.HTTP_ROUTE_GROUP.kind(),
                                split.metadata().namespace(),
                                split.matches().get(i)));
                all = false;
            }
        }
        return all;
    }

    private Service lay(Service root, List<TrafficSplit> splits) {
        splits.forEach(split -> checkBackends(root, split));
        List<ServicePort> ports = root.ports().stream()
                .map(port -> new ServicePort(
                        port.port(),
                        port.name(),
                        port.protocol(),
                        port.endpoints(),
                        splits.stream()
                                .flatMap(split -> forPort(port, split).stream())
                                .toList()))
                .toList();
        return new Service(
                root.name(),
                root.addresses(),
                ports,
                splits.stream()
                        .map(split -> new Split(split.metadata().id(), matches(split), merged(split, split.backends())))
                        .toList(),
                root.resilience(),
                root.rateLimit());
    }

    /** The split as it holds for one port of its root; absent when no backend has the port. */
    private Optional<Split> forPort(ServicePort port, TrafficSplit split) {
        List<TrafficSplit.Backend> having = split.backends().stream()
                .filter(backend -> service(split, backend)
                        .flatMap(service -> service.port(port.port()))
                        .isPresent())
                .toList();
        return having.isEmpty()
                ? Optional.empty()
                : Optional.of(new Split(split.metadata().id(), matches(split), merged(split, having)));
    }

    private Optional<List<HttpMatch>> matches(TrafficSplit split) {
        if (split.matches().isEmpty()) {
            return Optional.empty();
        }
        String namespace = split.metadata().namespace();
        boolean full = settings.ofNamespace(namespace).fullPath().value();
        return Optional.of(split.matches().stream()
                .flatMap(group -> groups.matches(namespace + "/" + group, List.of(), full).stream())
                .distinct()
                .toList());
    }

    /** Backends in the order written; a Service named twice has the sum of its weights. */
    private static List<Backend> merged(TrafficSplit split, List<TrafficSplit.Backend> backends) {
        Map<ServiceName, Long> weights = new LinkedHashMap<>();
        for (TrafficSplit.Backend backend : backends) {
            weights.merge(
                    name(split, backend),
                    backend.weight(),
                    (one, other) -> Math.min(one + other, WeightedCluster.MAX_WEIGHT));
        }
        return weights.entrySet().stream()
                .map(entry -> new Backend(entry.getKey(), entry.getValue()))
                .toList();
    }

    private void checkBackends(Service root, TrafficSplit split) {
        ObjectRef ref = Resources.ref(split);
        for (int i = 0; i < split.backends().size(); i++) {
            checkBackend(root, split, ref, i);
        }
        for (ServicePort port : root.ports()) {
            if (forPort(port, split).isEmpty()) {
                problems.warning(
                        ref,
                        "spec.backends",
                        "no backend has port %d of %s; add it to the backends' Services"
                                .formatted(port.port(), root.name()),
                        "the port stays with the root");
            }
        }
    }

    private void checkBackend(Service root, TrafficSplit split, ObjectRef ref, int index) {
        TrafficSplit.Backend backend = split.backends().get(index);
        String field = "spec.backends[%d].service".formatted(index);
        ServiceName name = name(split, backend);
        Optional<Service> service = service(split, backend);
        if (service.isEmpty()) {
            // With weight 0 this is how a canary begins.
            if (backend.weight() > 0) {
                problems.missing(
                        Severity.WARNING,
                        ref,
                        field,
                        "there is no Service %s".formatted(name),
                        "its share goes to the other backends",
                        new ObjectRef("Service", name.namespace(), name.name()));
            }
            return;
        }
        List<String> lacking = root.ports().stream()
                .filter(port -> service.get().port(port.port()).isEmpty())
                .map(port -> Integer.toString(port.port()))
                .toList();
        if (!lacking.isEmpty()) {
            problems.warning(
                    ref,
                    field,
                    "Service %s has no port %s, which %s has; add it there"
                            .formatted(name, String.join(", ", lacking), root.name()),
                    "it takes no part there");
        }
        if (backend.weight() > 0
                && lacking.size() < root.ports().size()
                && service.get().ports().stream()
                        .flatMap(port -> port.endpoints().stream())
                        .noneMatch(ServiceEndpoint::ready)) {
            problems.missing(
                    Severity.WARNING,
                    ref,
                    field,
                    "Service %s has weight %d and no ready endpoints".formatted(name, backend.weight()),
                    "its share goes to the other backends",
                    new ObjectRef("Endpoints", name.namespace(), name.name()));
        }
    }

    private Optional<Service> service(TrafficSplit split, TrafficSplit.Backend backend) {
        return Optional.ofNullable(services.get(name(split, backend)));
    }

    private static ServiceName name(TrafficSplit split, TrafficSplit.Backend backend) {
        return new ServiceName(split.metadata().namespace(), backend.service());
    }
}
