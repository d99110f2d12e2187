package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The answer to a watch: a service as this workload sees it, or that the address is not one of the mesh. */
public sealed interface Destination {
    DestinationKey key();

    /**
     * A service port.
     *
     * @param key what was asked for
     * @param service the Service, {@code namespace/name}
     * @param protocol what is spoken on the port
     * @param routes in order of precedence; the last one matches everything
     * @param clusters every cluster the routes name, ordered by name
     * @param resilience what holds for every call of it, whichever cluster takes the call
     */
    record Service(
            DestinationKey key,
            String service,
            Protocol protocol,
            List<Route> routes,
            List<Cluster> clusters,
            Resilience resilience)
            implements Destination {
        /** One without resilience. */
        public Service(
                DestinationKey key, String service, Protocol protocol, List<Route> routes, List<Cluster> clusters) {
            this(key, service, protocol, routes, clusters, Resilience.NONE);
        }

        public Service {
            requireNonNull(key, "key");
            requireNonNull(service, "service");
            requireNonNull(protocol, "protocol");
            requireNonNull(resilience, "resilience");
            routes = List.copyOf(routes);
            clusters = List.copyOf(clusters);
            Set<String> names = new HashSet<>();
            for (Cluster cluster : clusters) {
                if (!names.add(cluster.name())) {
                    throw new IllegalArgumentException(
                            "cluster %s of %s is there twice".formatted(cluster.name(), key));
                }
            }
            for (Route route : routes) {
                for (WeightedCluster to : route.clusters()) {
                    if (!names.contains(to.cluster())) {
                        throw new IllegalArgumentException("route '%s' of %s names the cluster %s, which is not there"
                                .formatted(route.name(), key, to.cluster()));
                    }
                }
            }
        }
    }

    /** Not an address of the mesh: passed through unchanged outside the mesh networks, refused inside them. */
    record NotInMesh(DestinationKey key) implements Destination {
        public NotInMesh {
            requireNonNull(key, "key");
        }
    }
}
