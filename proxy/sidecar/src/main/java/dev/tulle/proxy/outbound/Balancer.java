package dev.tulle.proxy.outbound;

import dev.tulle.proxy.balance.EndpointChoice;
import dev.tulle.proxy.balance.PeakEwma;
import dev.tulle.proxy.balance.WeightedChoice;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Chooses clusters and endpoints on one event loop, and keeps the books these choices need.
 *
 * <p>The shares of a route go on where they were when the config around it is made anew.
 */
final class Balancer {
    private static final int MAX_ROUTES = 1024;
    private static final int MAX_ENDPOINTS = 8192;

    private final SplittableRandom random = new SplittableRandom();
    private final Map<RouteTable, WeightedChoice> choices = new WeakHashMap<>();
    private final Map<Shares, WeightedChoice> shares = newest(MAX_ROUTES);
    private final Map<Endpoint, PeakEwma> loads = newest(MAX_ENDPOINTS);

    /** What makes two routes the same for their shares. */
    private record Shares(DestinationKey destination, String route, List<String> clusters, List<Long> weights) {}

    private static <K, V> Map<K, V> newest(int most) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    /** The cluster that takes the next request of a route; empty when none can. */
    Optional<Cluster> nextCluster(DestinationKey destination, RouteTable route) {
        List<Cluster> clusters = route.clusters();
        if (clusters.size() <= 1) {
            return clusters.stream().findFirst();
        }
        WeightedChoice choice = choices.get(route);
        if (choice == null) {
            Shares key = new Shares(
                    destination,
                    route.route().name(),
                    clusters.stream().map(Cluster::name).toList(),
                    route.weights());
            choice = shares.computeIfAbsent(key, k -> new WeightedChoice(k.weights()));
            choices.put(route, choice);
        }
        return Optional.of(clusters.get(choice.next()));
    }

    /** Endpoints of a cluster for one request: the less loaded of two, then others. */
    Endpoints endpointsOf(Cluster cluster) {
        return new Endpoints(cluster);
    }

    private PeakEwma load(Endpoint endpoint) {
        PeakEwma load = loads.get(endpoint);
        if (load == null) {
            load = new PeakEwma(System.nanoTime());
            loads.put(endpoint, load);
        }
        return load;
    }

    /** One endpoint after the other, none twice. */
    final class Endpoints implements Attempt.Source {
        private final List<Endpoint> all;
        private @Nullable List<Endpoint> left;
        private @Nullable Endpoint last;
        private boolean startingOver;

        private Endpoints(Cluster cluster) {
            this.all = cluster.endpoints();
        }

        @Override
        public void startOver() {
            startingOver = true;
        }

        /** The one given last. */
        Optional<Endpoint> last() {
            return Optional.ofNullable(last);
        }

        @Override
        public Optional<Attempt> next() {
            List<Endpoint> from = all;
            if (last != null) {
                if (left == null) {
                    left = new ArrayList<>(all);
                }
                left.remove(last);
                from = left;
            }
            if (from.isEmpty() && startingOver) {
                startingOver = false;
                left = new ArrayList<>(all);
                from = left;
            }
            if (from.isEmpty()) {
                return Optional.empty();
            }
            Endpoint endpoint = EndpointChoice.pick(from, Balancer.this::load, random, System.nanoTime());
            last = endpoint;
            return Optional.of(new Observed(Target.of(endpoint), load(endpoint)));
        }
    }

    private record Observed(Target target, PeakEwma load) implements Attempt {
        @Override
        public void started() {
            load.started();
        }

        @Override
        public void connected() {
            load.connected();
        }

        @Override
        public void connectFailed() {
            load.abandoned();
            load.connectFailed(System.nanoTime());
        }

        @Override
        public void answered(boolean failure, long nanos) {
            if (failure) {
                load.failed(nanos, System.nanoTime());
            } else {
                load.succeeded(nanos, System.nanoTime());
            }
        }

        @Override
        public void abandoned() {
            load.abandoned();
        }
    }
}
