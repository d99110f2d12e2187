package dev.tulle.proxy.routing;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Route;
import java.util.List;

/** One route as it can be used now: the clusters that can take its requests. */
public final class RouteTable {
    private final Route route;
    private final List<Cluster> clusters;
    private final List<Long> weights;

    RouteTable(Route route, List<Cluster> clusters, List<Long> weights) {
        this.route = route;
        this.clusters = List.copyOf(clusters);
        this.weights = List.copyOf(weights);
    }

    /** The route as configured. */
    public Route route() {
        return route;
    }

    /** Clusters with a positive weight and at least one endpoint, in the route's order; empty answers 503. */
    public List<Cluster> clusters() {
        return clusters;
    }

    /** Weight of each of {@link #clusters()}, in the same order; all positive. */
    public List<Long> weights() {
        return weights;
    }
}
