package dev.tulle.proxy.routing;

import dev.tulle.proxy.match.HttpCall;
import dev.tulle.proxy.match.HttpMatcher;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.WeightedCluster;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** One destination, compiled. Immutable; safe for all threads. */
public final class DestinationTable {
    /** What no route of the destination takes. */
    private static final RouteTable NOWHERE =
            new RouteTable(new Route("", Optional.empty(), List.of()), List.of(), List.of());

    /** A route that takes only some requests. */
    private record Conditional(List<HttpMatcher> matchers, RouteTable table) {
        boolean takes(HttpCall call) {
            for (int i = 0; i < matchers.size(); i++) {
                if (matchers.get(i).matches(call)) {
                    return true;
                }
            }
            return false;
        }
    }

    private final Destination destination;
    private final List<Conditional> conditionals;
    private final RouteTable plain;

    private DestinationTable(Destination destination, List<Conditional> conditionals, RouteTable plain) {
        this.destination = destination;
        this.conditionals = List.copyOf(conditionals);
        this.plain = plain;
    }

    static DestinationTable of(Destination destination, Consumer<String> problems) {
        return switch (destination) {
            case Destination.NotInMesh notInMesh -> new DestinationTable(notInMesh, List.of(), NOWHERE);
            case Destination.Service service -> of(service, problems);
        };
    }

    private static DestinationTable of(Destination.Service service, Consumer<String> problems) {
        Map<String, Cluster> clusters = new HashMap<>();
        service.clusters().forEach(cluster -> clusters.put(cluster.name(), cluster));
        List<Conditional> conditionals = new ArrayList<>();
        for (Route route : service.routes()) {
            RouteTable table = tableOf(route, clusters);
            if (route.matches().isEmpty()) {
                // Takes everything: what stands behind it is never reached.
                return new DestinationTable(service, conditionals, table);
            }
            conditionals.add(new Conditional(
                    route.matches().get().stream()
                            .map(match -> HttpMatcher.of(match, problems))
                            .toList(),
                    table));
        }
        return new DestinationTable(service, conditionals, NOWHERE);
    }

    private static RouteTable tableOf(Route route, Map<String, Cluster> clusters) {
        List<Cluster> eligible = new ArrayList<>();
        List<Long> weights = new ArrayList<>();
        for (WeightedCluster to : route.clusters()) {
            Cluster cluster = clusters.get(to.cluster());
            if (to.weight() > 0 && cluster != null && !cluster.endpoints().isEmpty()) {
                eligible.add(cluster);
                weights.add(to.weight());
            }
        }
        return new RouteTable(route, eligible, weights);
    }

    /** The destination as configured. */
    public Destination destination() {
        return destination;
    }

    /** The first route that matches a request; without clusters when none does or the address is not of the mesh. */
    public RouteTable routeFor(HttpCall call) {
        // An index, since this runs for every request: no iterator.
        for (int i = 0; i < conditionals.size(); i++) {
            if (conditionals.get(i).takes(call)) {
                return conditionals.get(i).table();
            }
        }
        return plain;
    }

    /** The first route that takes opaque connections; without clusters when none does or the address is not of the mesh. */
    public RouteTable tcpRoute() {
        return plain;
    }
}
