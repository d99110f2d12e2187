package dev.tulle.controller;

import dev.tulle.controller.api.Controller;
import dev.tulle.controller.api.Current;
import dev.tulle.controller.api.Views;
import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.discovery.DiscoveryLimits;
import dev.tulle.controller.discovery.DiscoveryServer;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Refusals;
import dev.tulle.controller.discovery.StreamCounters;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.trafficmetrics.PodBook;
import dev.tulle.controller.trafficmetrics.TrafficSeen;
import dev.tulle.controller.watch.ResourceSource;
import dev.tulle.proxy.model.HostPort;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.util.List;

/** What serves the proxies, wherever the objects come from: the chain from objects to streams, and the server they end at. */
final class Serving implements AutoCloseable {
    private final Reconciler reconciler;
    private final DiscoveryServer server;
    private final TrafficSeen seen;

    private Serving(Reconciler reconciler, DiscoveryServer server, TrafficSeen seen) {
        this.reconciler = reconciler;
        this.server = server;
        this.seen = seen;
    }

    /**
     * Reads the objects, then lets proxies in.
     *
     * @param source not yet started; who gave it closes it
     * @param readyBy who says which workloads are ready
     * @throws IllegalStateException when it cannot listen there
     */
    static Serving start(
            ResourceSource source,
            Reconciler.ReadyBy readyBy,
            Identities identities,
            HostPort listen,
            Vertx vertx,
            Current current) {
        Clock clock = Clock.systemUTC();
        CertificateAuthority authority = identities.authority();
        ProxyRegistry registry = new ProxyRegistry();
        Publisher publisher = new Publisher(registry);
        Refusals refusals = new Refusals();
        StreamCounters counters = new StreamCounters();
        TrafficWindow traffic = new TrafficWindow(clock);
        PodBook pods = new PodBook(clock);
        Reconciler reconciler = new Reconciler(authority, registry, publisher, readyBy, identities.problems(), clock);
        try {
            // The mesh is read before anybody can ask for it: a restart refuses nobody.
            source.start(resources -> {
                pods.take(resources);
                reconciler.resources(resources);
            });
            DiscoveryServer server = DiscoveryServer.start(
                    vertx,
                    authority,
                    identities.attestor(),
                    publisher,
                    registry,
                    refusals,
                    counters,
                    traffic::add,
                    reconciler::ask,
                    listen,
                    DiscoveryLimits.DEFAULTS,
                    clock);
            reconciler.serve(server);
            reconciler.start();
            // From here on the API tells what is, and no empty mesh before.
            current.set(new Views(new Controller(
                    reconciler::progress, authority, registry, publisher, refusals, counters, traffic, clock)));
            TrafficSeen seen = new TrafficSeen(
                    traffic, () -> reconciler.progress().assembled().map(Assembled::mesh), pods, clock.instant());
            return new Serving(reconciler, server, seen);
        } catch (RuntimeException e) {
            reconciler.close();
            throw e;
        }
    }

    /** What is wrong with the objects now. */
    List<Problem> problems() {
        return reconciler.progress().assembled().map(Assembled::problems).orElse(List.of());
    }

    /** Where the proxies' numbers are. */
    TrafficSeen seen() {
        return seen;
    }

    /** The port the proxies call. */
    int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
        reconciler.close();
    }
}
