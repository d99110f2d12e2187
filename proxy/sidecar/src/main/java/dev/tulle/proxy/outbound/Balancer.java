package dev.tulle.proxy.outbound;

import dev.tulle.proxy.balance.EndpointChoice;
import dev.tulle.proxy.balance.PeakEwma;
import dev.tulle.proxy.balance.WeightedChoice;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.telemetry.EdgeMeter;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.HttpRelay;
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
 * <p>The shares of a route go on where they were when the config around it is made anew, and so do the books of an endpoint.
 */
final class Balancer {
    private static final int MAX_ROUTES = 1024;
    private static final int MAX_ENDPOINTS = 8192;

    private final Meters meters;
    private final SplittableRandom random = new SplittableRandom();
    private final Map<RouteTable, Split> splits = new WeakHashMap<>();
    private final Map<Shares, WeightedChoice> shares = newest(MAX_ROUTES);
    private final Map<Endpoint, PeakEwma> loads = newest(MAX_ENDPOINTS);

    /** What makes two routes the same for their shares. */
    private record Shares(DestinationKey destination, String route, List<String> clusters, List<Long> weights) {}

    Balancer(Meters meters) {
        this.meters = meters;
    }

    private static <K, V> Map<K, V> newest(int most) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    /**
     * The backends of a route and whose turn it is.
     *
     * @param service that the route belongs to, {@code namespace/name}
     */
    Split splitOf(DestinationKey destination, String service, RouteTable route) {
        Split split = splits.get(route);
        if (split == null) {
            split = new Split(
                    route.clusters().stream()
                            .map(cluster -> new Backend(service, cluster))
                            .toList(),
                    choiceOf(destination, route));
            splits.put(route, split);
        }
        return split;
    }

    private @Nullable WeightedChoice choiceOf(DestinationKey destination, RouteTable route) {
        List<Cluster> clusters = route.clusters();
        if (clusters.size() <= 1) {
            return null;
        }
        Shares key = new Shares(
                destination,
                route.route().name(),
                clusters.stream().map(Cluster::name).toList(),
                route.weights());
        return shares.computeIfAbsent(key, k -> new WeightedChoice(k.weights()));
    }

    private PeakEwma load(Endpoint endpoint) {
        return loads.computeIfAbsent(endpoint, any -> new PeakEwma(System.nanoTime()));
    }

    /** The meter of one backend, as it is reached by an endpoint of this identity. */
    EdgeMeter meter(String service, String backend, Optional<SpiffeId> identity, boolean http) {
        return meters.edge(
                Direction.OUTBOUND,
                identity.map(SpiffeId::uri).orElse(""),
                service,
                backend,
                http,
                identity.isPresent());
    }

    /** The backends of a route in turn, each as often as its weight says. */
    static final class Split {
        private final List<Backend> backends;
        private final @Nullable WeightedChoice choice;

        private Split(List<Backend> backends, @Nullable WeightedChoice choice) {
            this.backends = backends;
            this.choice = choice;
        }

        /** The backend that takes the next request or connection; empty when none can. */
        Optional<Backend> next() {
            if (choice != null) {
                return Optional.of(backends.get(choice.next()));
            }
            return backends.isEmpty() ? Optional.empty() : Optional.of(backends.get(0));
        }
    }

    /** One cluster that a route leads to. */
    final class Backend {
        private final String service;
        private final String name;
        private final List<Candidate> candidates;

        private Backend(String service, Cluster cluster) {
            this.service = service;
            this.name = cluster.name();
            this.candidates = cluster.endpoints().stream()
                    .map(endpoint -> new Candidate(this, endpoint, load(endpoint)))
                    .toList();
        }

        String name() {
            return name;
        }

        /** Its endpoints for one request: the less loaded of two, then others. */
        Endpoints endpoints() {
            return new Endpoints(this);
        }
    }

    /** One endpoint of a backend. */
    final class Candidate implements Attempt {
        private final Backend backend;
        private final Endpoint endpoint;
        private final Target target;
        private final PeakEwma load;
        private @Nullable EdgeMeter requests;

        private Candidate(Backend backend, Endpoint endpoint, PeakEwma load) {
            this.backend = backend;
            this.endpoint = endpoint;
            this.target = Target.of(endpoint);
            this.load = load;
        }

        Endpoint endpoint() {
            return endpoint;
        }

        PeakEwma load() {
            return load;
        }

        /** The meter of the HTTP requests that it answers. */
        EdgeMeter requests() {
            EdgeMeter meter = requests;
            if (meter == null) {
                meter = meter(backend.service, backend.name, endpoint.identity(), true);
                requests = meter;
            }
            return meter;
        }

        @Override
        public Target target() {
            return target;
        }

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

    /** One endpoint after the other, none twice; the last one's meter counts how the request went. */
    final class Endpoints implements Attempt.Source, HttpRelay.Ended {
        private final Backend backend;
        private final List<Candidate> all;
        private @Nullable List<Candidate> left;
        private @Nullable Candidate last;
        private boolean startingOver;

        private Endpoints(Backend backend) {
            this.backend = backend;
            this.all = backend.candidates;
        }

        @Override
        public void startOver() {
            startingOver = true;
        }

        /** The one given last. */
        Optional<Candidate> last() {
            return Optional.ofNullable(last);
        }

        @Override
        public Optional<Attempt> next() {
            List<Candidate> from = all;
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
            Candidate chosen = from.size() == 1
                    ? from.get(0)
                    : EndpointChoice.pick(from, Candidate::load, random, System.nanoTime());
            last = chosen;
            return Optional.of(chosen);
        }

        @Override
        public void ended(boolean failure, int status, long firstByteMicros) {
            EdgeMeter meter =
                    last != null ? last.requests() : meter(backend.service, backend.name, Optional.empty(), true);
            meter.ended(failure, status, firstByteMicros);
        }
    }
}
