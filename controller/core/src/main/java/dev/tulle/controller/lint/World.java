package dev.tulle.controller.lint;

import dev.tulle.controller.lint.Manifests.Extent;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the rules look at: the objects, the mesh that is made of them, and how much of the world that is. */
final class World {
    static final String PATH_MATCH = "tulle.dev/path-match";

    private final Resources resources;
    private final Mesh mesh;
    private final Extent extent;
    private final Map<ServiceAccount, List<WorkloadResource>> byAccount = new HashMap<>();
    private final Set<String> withServices = new HashSet<>();
    private final Set<String> withWorkloads = new HashSet<>();
    private final Map<String, NamespaceResource> namespaces = new HashMap<>();

    World(Resources resources, Mesh mesh, Extent extent) {
        this.resources = resources;
        this.mesh = mesh;
        this.extent = extent;
        for (WorkloadResource workload : resources.workloads()) {
            byAccount
                    .computeIfAbsent(account(workload), account -> new java.util.ArrayList<>())
                    .add(workload);
            withWorkloads.add(workload.id().namespace());
        }
        resources.services().forEach(service -> withServices.add(service.namespace()));
        resources.namespaces().forEach(namespace -> namespaces.put(namespace.name(), namespace));
    }

    Resources resources() {
        return resources;
    }

    Mesh mesh() {
        return mesh;
    }

    static ServiceAccount account(WorkloadResource workload) {
        return new ServiceAccount(workload.id().namespace(), workload.serviceAccount());
    }

    /** Everything that runs under a service account, with a proxy or not. */
    List<WorkloadResource> runningUnder(ServiceAccount account) {
        return byAccount.getOrDefault(account, List.of());
    }

    /** What runs under a service account and has a proxy. */
    List<Workload> meshedUnder(ServiceAccount account) {
        return runningUnder(account).stream()
                .flatMap(workload -> mesh.workload(workload.id()).stream())
                .toList();
    }

    /** Whether a Service, by name and namespace, is a backend with a share of a split. */
    boolean isSplit(ObjectRef service) {
        return resources.splits().stream()
                .filter(split -> split.metadata().namespace().equals(service.namespace()))
                .anyMatch(split -> split.backends().stream()
                        .anyMatch(backend ->
                                backend.weight() > 0 && backend.service().equals(service.name())));
    }

    /** Whether a Service or route that is not here is nowhere. */
    boolean knowsObjectsOf(String namespace) {
        return extent == Extent.CLUSTER || withServices.contains(namespace) || withWorkloads.contains(namespace);
    }

    /** Whether a workload that is not here is nowhere. */
    boolean knowsWorkloadsOf(String namespace) {
        return extent == Extent.CLUSTER || withWorkloads.contains(namespace);
    }

    boolean isCluster() {
        return extent == Extent.CLUSTER;
    }

    /** Names of all objects of a kind in a namespace. */
    Collection<String> names(String kind, String namespace) {
        Set<String> names = new TreeSet<>();
        switch (kind) {
            case "Service" ->
                resources.services().stream()
                        .filter(service -> service.namespace().equals(namespace))
                        .forEach(service -> names.add(service.name()));
            case "HTTPRouteGroup" ->
                resources.routeGroups().stream()
                        .filter(group -> group.metadata().namespace().equals(namespace))
                        .forEach(group -> names.add(group.metadata().name()));
            case "TCPRoute" ->
                resources.tcpRoutes().stream()
                        .filter(route -> route.metadata().namespace().equals(namespace))
                        .forEach(route -> names.add(route.metadata().name()));
            case "UDPRoute" ->
                resources.udpRoutes().stream()
                        .filter(route -> route.metadata().namespace().equals(namespace))
                        .forEach(route -> names.add(route.metadata().name()));
            case "ServiceAccount" ->
                byAccount.keySet().stream()
                        .filter(account -> account.namespace().equals(namespace))
                        .forEach(account -> names.add(account.name()));
            default -> {
                // Nothing else is referred to by name.
            }
        }
        return names;
    }

    /** What the namespace, else the mesh, says of how paths are matched; absent where neither does. */
    Optional<String> pathMatchOf(String namespace) {
        return Optional.ofNullable(namespaces.get(namespace))
                .map(found -> found.annotations().get(PATH_MATCH))
                .or(() -> Optional.ofNullable(resources.settings().access().get("path-match")));
    }

    /** How absence is told. */
    String notHere(ObjectRef missing) {
        return "there is no %s %s%s"
                .formatted(
                        missing.kind(),
                        missing.namespace() + "/" + missing.name(),
                        isCluster() ? "" : " among the files given");
    }

    /** Where settings of the whole mesh are. */
    static String settingsName() {
        return MeshSettings.CONFIG_MAP.namespace() + "/" + MeshSettings.CONFIG_MAP.name();
    }
}
