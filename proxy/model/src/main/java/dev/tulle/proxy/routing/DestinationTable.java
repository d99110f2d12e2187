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

    private final List<String> problems;

    private DestinationTable(
            Destination destination, List<Conditional> conditionals, RouteTable plain, List<String> problems) {
        this.destination = destination;
        this.conditionals = List.copyOf(conditionals);
        this.plain = plain;
        this.problems = List.copyOf(problems);
    }

    static DestinationTable of(Destination destination) {
        return switch (destination) {
            case Destination.NotInMesh notInMesh -> new DestinationTable(notInMesh, List.of(), NOWHERE, List.of());
            case Destination.Service service -> of(service);
        };
    }

    private static DestinationTable of(Destination.Service service) {
        List<String> problems = new ArrayList<>();
        Consumer<String> noting = problem -> problems.add(service.key() + ": " + problem);
        Map<String, Cluster> clusters = new HashMap<>();
        service.clusters().forEach(cluster -> clusters.put(cluster.name(), cluster));
        List<Conditional> conditionals = new ArrayList<>();
        for (Route route : service.routes()) {
            RouteTable table = tableOf(route, clusters);
            if (route.matches().isEmpty()) {
                // Takes everything: what stands behind it is never reached.
                return new DestinationTable(service, conditionals, table, problems);
            }
            conditionals.add(new Conditional(
                    route.matches().get().stream()
                            .map(match -> HttpMatcher.of(match, noting))
                            .toList(),
                    table));
        }
        return new DestinationTable(service, conditionals, NOWHERE, problems);
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

    /** Whether the route does not depend on the request: {@link #routeFor} then gives {@link #tcpRoute} whatever is asked. */
    public boolean hasOneRoute() {
        return conditionals.isEmpty();
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

    /** What of its routes cannot be used. */
    List<String> problems() {
        return problems;
    }
}
