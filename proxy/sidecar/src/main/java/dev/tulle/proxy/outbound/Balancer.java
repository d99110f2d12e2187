package dev.tulle.proxy.outbound;

import dev.tulle.proxy.balance.EndpointChoice;
import dev.tulle.proxy.balance.PeakEwma;
import dev.tulle.proxy.balance.WeightedChoice;
import dev.tulle.proxy.guard.ClusterGuard;
import dev.tulle.proxy.guard.DestinationGuard;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.telemetry.Act;
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

    /** Requests in hand from which an endpoint of the own zone is no longer preferred to others. */
    private static final int MAX_PENDING_IN_ZONE = 64;

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
        private final Cluster cluster;
        private final List<Candidate> candidates;

        private Backend(String service, Cluster cluster) {
            this.service = service;
            this.name = cluster.name();
            this.cluster = cluster;
            this.candidates = cluster.endpoints().stream()
                    .map(endpoint -> new Candidate(this, endpoint, load(endpoint)))
                    .toList();
        }

        String name() {
            return name;
        }

        /**
         * Its endpoints for one request: the less loaded of two, then others.
         *
         * @param guard of the destination; null where nothing holds for it
         */
        Endpoints endpoints(@Nullable DestinationGuard guard) {
            return new Endpoints(this, guard == null ? null : guard.cluster(cluster));
        }

        private @Nullable Candidate candidate(Endpoint endpoint) {
            for (Candidate candidate : candidates) {
                if (candidate.endpoint.equals(endpoint)) {
                    return candidate;
                }
            }
            return null;
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

    /** A try whose end decides whether its endpoint is left out. */
    private record Guarded(Candidate candidate, ClusterGuard guard, boolean probe) implements Attempt {
        @Override
        public Target target() {
            return candidate.target();
        }

        @Override
        public void started() {
            candidate.started();
        }

        @Override
        public void connected() {
            candidate.connected();
        }

        @Override
        public void settled() {
            guard.succeeded(candidate.endpoint, probe);
        }

        @Override
        public void connectFailed() {
            candidate.connectFailed();
            guard.failed(candidate.endpoint, probe);
        }

        @Override
        public void answered(boolean failure, long nanos) {
            candidate.answered(failure, nanos);
            if (failure) {
                guard.failed(candidate.endpoint, probe);
            } else {
                guard.succeeded(candidate.endpoint, probe);
            }
        }

        @Override
        public void abandoned() {
            candidate.abandoned();
            guard.abandoned(candidate.endpoint, probe);
        }
    }

    /** One endpoint after the other, none twice; the last one's meter counts how the request went. */
    final class Endpoints implements Attempt.Source, HttpRelay.Ended {
        private final Backend backend;
        private final List<Candidate> all;
        private @Nullable List<Candidate> left;
        private final @Nullable ClusterGuard guard;
        private @Nullable Candidate last;
        private boolean startingOver;

        private Endpoints(Backend backend, @Nullable ClusterGuard guard) {
            this.backend = backend;
            this.all = backend.candidates;
            this.guard = guard;
        }

        @Override
        public boolean hasSeveral() {
            return all.size() > 1;
        }

        @Override
        public void moved() {
            meters.acts(backend.service).count(Act.MOVED);
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
            Candidate before = last;
            if (before == null && guard != null) {
                Endpoint probe = guard.probe();
                Candidate probed = probe == null ? null : backend.candidate(probe);
                if (probed != null) {
                    return Optional.of(chosen(probed, true));
                }
                if (probe != null) {
                    guard.abandoned(probe, true);
                }
            }
            List<Candidate> from = all;
            if (before != null) {
                if (left == null) {
                    left = new ArrayList<>(all);
                }
                left.remove(before);
                from = left;
            }
            Candidate found = pick(from);
            if (found == null && startingOver) {
                startingOver = false;
                left = new ArrayList<>(all);
                found = pick(left);
            }
            return found == null ? Optional.empty() : Optional.of(chosen(found, false));
        }

        private Attempt chosen(Candidate candidate, boolean probe) {
            last = candidate;
            return guard == null ? candidate : new Guarded(candidate, guard, probe);
        }

        private @Nullable Candidate pick(List<Candidate> from) {
            if (guard == null) {
                return lessLoaded(from);
            }
            Candidate near = lessLoaded(those(guard.preferred(), from));
            if (near != null && near.load.pending() < MAX_PENDING_IN_ZONE && !near.load.avoided(System.nanoTime())) {
                return near;
            }
            Candidate any = lessLoaded(those(guard.allowed(), from));
            return any == null ? near : any;
        }

        private @Nullable Candidate lessLoaded(List<Candidate> from) {
            return switch (from.size()) {
                case 0 -> null;
                case 1 -> from.get(0);
                default -> EndpointChoice.pick(from, Candidate::load, random, System.nanoTime());
            };
        }

        private List<Candidate> those(List<Endpoint> endpoints, List<Candidate> from) {
            return endpoints.size() == all.size()
                    ? from
                    : from.stream()
                            .filter(candidate -> endpoints.contains(candidate.endpoint))
                            .toList();
        }

        @Override
        public void ended(boolean failure, int status, long firstByteMicros) {
            EdgeMeter meter =
                    last != null ? last.requests() : meter(backend.service, backend.name, Optional.empty(), true);
            meter.ended(failure, status, firstByteMicros);
        }
    }
}
