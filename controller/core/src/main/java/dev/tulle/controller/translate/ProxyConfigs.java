package dev.tulle.controller.translate;

import static java.util.stream.Collectors.toMap;

import dev.tulle.controller.model.Addresses.Member;
import dev.tulle.controller.model.Addresses.MemberPort;
import dev.tulle.controller.model.Backend;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.model.Workload;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads off the mesh what one proxy is told. The same mesh gives equal values. */
public final class ProxyConfigs {
    private ProxyConfigs() {}

    /** The proxy's own side; absent when the mesh has no such workload. */
    public static Optional<WorkloadConfig> workloadConfig(Mesh mesh, WorkloadId workload) {
        return mesh.workload(workload).map(found -> workloadConfig(mesh, found));
    }

    private static WorkloadConfig workloadConfig(Mesh mesh, Workload workload) {
        return new WorkloadConfig(
                workload.id(),
                workload.owner(),
                workload.identity(),
                workload.inbound(),
                workload.outbound(),
                workload.access().policy(),
                mesh.networks(),
                workload.healthCheck(),
                workload.zone(),
                workload.probes(),
                workload.opaquePorts());
    }

    /**
     * One destination as a workload sees it; all see the same until zones or egress rules tell them apart.
     *
     * <p>A Service or port that is not there is answered as one without endpoints (503), an address that is no Service's as not in
     * the mesh.
     */
    public static Destination destination(Mesh mesh, WorkloadId viewer, DestinationKey key) {
        return switch (key) {
            case DestinationKey.ServicePort asked ->
                serviceDestination(mesh, key, new ServiceName(asked.namespace(), asked.service()), asked.port());
            case DestinationKey.Address asked -> atAddress(mesh, key, asked.address());
        };
    }

    private static Destination atAddress(Mesh mesh, DestinationKey key, HostPort address) {
        return mesh.addresses()
                .service(address.host())
                .<Destination>map(service -> serviceDestination(mesh, key, service, address.port()))
                .or(() -> mesh.addresses().member(address.host()).map(pod -> podDestination(mesh, key, address, pod)))
                .orElseGet(() -> new Destination.NotInMesh(key));
    }

    /**
     * A pod that is called by its own address: who names a member of a set, or nobody, wants that member. Requests that name its
     * headless Service go by that Service's splits; its timeouts and limits hold, and what the call is counted under is that
     * Service, else the pod's owner.
     */
    private static Destination podDestination(Mesh mesh, DestinationKey key, HostPort address, Member pod) {
        Optional<MemberPort> port = Optional.ofNullable(pod.ports().get(address.port()));
        Optional<ServiceName> service = port.flatMap(MemberPort::service);
        Protocol protocol = port.map(MemberPort::protocol)
                .orElse(pod.opaque().contains(address.port()) ? Protocol.TCP : Protocol.DETECT);
        String name = service.map(ServiceName::toString).orElse(pod.workload().namespace() + "/" + pod.owner());
        Endpoint endpoint = new Endpoint(address, pod.workload().toString(), pod.identity(), pod.zone());
        List<Route> routes = new ArrayList<>();
        List<Cluster> clusters = new ArrayList<>();
        Optional<Service> headless = service.flatMap(mesh::service);
        headless.ifPresent(known -> known.port(address.port()).ifPresent(root -> {
            routes.addAll(routesByName(known.name(), root));
            clusters.addAll(clusters(mesh, known.name(), root, routes));
        }));
        clusters.removeIf(cluster -> cluster.name().equals(name));
        routes.add(new Route("", Optional.empty(), List.of(new WeightedCluster(name, 1))));
        clusters.add(new Cluster(name, List.of(endpoint)));
        return new Destination.Service(
                key,
                name,
                protocol,
                routes,
                clusters,
                headless.map(Service::resilience).orElse(Resilience.NONE));
    }

    /** The splits of a headless Service, for requests whose authority names it. Opaque connections name nobody. */
    private static List<Route> routesByName(ServiceName service, ServicePort port) {
        HttpMatch.HeaderPattern named = new HttpMatch.HeaderPattern(
                "host",
                "(?i)%s(\\.%s(\\.svc(\\.[a-z0-9.-]+)?)?)?\\.?(:[0-9]+)?"
                        .formatted(service.name(), service.namespace()));
        return port.splits().stream()
                .map(split -> new Route(
                        split.name(),
                        Optional.of(split
                                .matches()
                                .orElseGet(() ->
                                        List.of(new HttpMatch(split.name(), Optional.empty(), List.of(), List.of())))
                                .stream()
                                .map(match -> new HttpMatch(
                                        match.name(),
                                        match.path(),
                                        match.methods(),
                                        Stream.concat(match.headers().stream(), Stream.of(named))
                                                .toList()))
                                .toList()),
                        weighted(split)))
                .toList();
    }

    private static Destination.Service serviceDestination(Mesh mesh, DestinationKey key, ServiceName name, int number) {
        Optional<ServicePort> found = mesh.service(name).flatMap(service -> service.port(number));
        if (found.isEmpty()) {
            Route nowhere = new Route("", Optional.empty(), List.of());
            return new Destination.Service(key, name.toString(), Protocol.DETECT, List.of(nowhere), List.of());
        }
        List<Route> routes = routes(name, found.get());
        return new Destination.Service(
                key,
                name.toString(),
                found.get().protocol(),
                routes,
                clusters(mesh, name, found.get(), routes),
                mesh.service(name).map(Service::resilience).orElse(Resilience.NONE));
    }

    /** Here the weights of a TrafficSplit become those of a route; the proxy's {@code WeightedChoice} picks by them. */
    private static List<Route> routes(ServiceName service, ServicePort port) {
        List<Route> routes = new ArrayList<>();
        for (Split split : port.splits()) {
            routes.add(new Route(split.name(), split.matches(), weighted(split)));
        }
        if (port.splits().stream().allMatch(split -> split.matches().isPresent())) {
            routes.add(new Route("", Optional.empty(), List.of(new WeightedCluster(service.toString(), 1))));
        }
        return routes;
    }

    private static List<WeightedCluster> weighted(Split split) {
        return split.backends().stream()
                .map(backend -> new WeightedCluster(backend.service().toString(), backend.weight()))
                .toList();
    }

    private static List<Cluster> clusters(Mesh mesh, ServiceName root, ServicePort port, List<Route> routes) {
        SortedMap<String, List<ServiceEndpoint>> all = new TreeMap<>();
        all.put(root.toString(), port.endpoints());
        for (Split split : port.splits()) {
            for (Backend backend : split.backends()) {
                all.put(
                        backend.service().toString(),
                        mesh.service(backend.service())
                                .flatMap((Service service) -> service.port(port.port()))
                                .map(ServicePort::endpoints)
                                .orElse(List.of()));
            }
        }
        List<Cluster> clusters = new ArrayList<>();
        all.forEach((name, endpoints) -> {
            if (routes.stream()
                    .flatMap(route -> route.clusters().stream())
                    .anyMatch(to -> to.cluster().equals(name))) {
                clusters.add(cluster(name, endpoints, isLastResort(name, all, routes)));
            }
        });
        return clusters;
    }

    /**
     * Whether some route has nothing ready at all, so that this cluster's unready endpoints are better than none: the controller
     * may be the one that is wrong (no stream from them), and a connection that fails says as much as a 503.
     */
    private static boolean isLastResort(
            String cluster, SortedMap<String, List<ServiceEndpoint>> all, List<Route> routes) {
        return routes.stream()
                .map(route -> route.clusters().stream()
                        .filter(to -> to.weight() > 0)
                        .collect(toMap(WeightedCluster::cluster, to -> all.getOrDefault(to.cluster(), List.of()))))
                .anyMatch(takers -> takers.containsKey(cluster)
                        && takers.values().stream()
                                .noneMatch(endpoints -> endpoints.stream().anyMatch(ServiceEndpoint::ready)));
    }

    private static Cluster cluster(String name, List<ServiceEndpoint> endpoints, boolean lastResort) {
        return new Cluster(
                name,
                endpoints.stream()
                        .filter(endpoint -> endpoint.ready() || lastResort)
                        .map(endpoint -> new Endpoint(
                                endpoint.address(),
                                endpoint.workload().map(WorkloadId::toString).orElse(""),
                                endpoint.identity(),
                                endpoint.zone()))
                        .toList());
    }
}
