package dev.tulle.controller;

import dev.tulle.controller.api.Controller;
import dev.tulle.controller.api.Current;
import dev.tulle.controller.api.Views;
import dev.tulle.controller.discovery.DiscoveryLimits;
import dev.tulle.controller.discovery.DiscoveryServer;
import dev.tulle.controller.discovery.ProxyRegistry;
import dev.tulle.controller.discovery.Publisher;
import dev.tulle.controller.discovery.Refusals;
import dev.tulle.controller.discovery.StreamCounters;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.StateDirectory;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.watch.DirectorySource;
import dev.tulle.controller.watch.ResourceSource;
import dev.tulle.proxy.model.HostPort;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.vertx.core.Vertx;
import java.time.Clock;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;

/** Wires the controller's parts together, waits for the end, and takes them down in turn. */
public class ControllerApplication implements QuarkusApplication {
    private static final Logger LOG = Logger.getLogger(ControllerApplication.class);

    private final Vertx vertx;
    private final Current current;

    public ControllerApplication(Vertx vertx, Current current) {
        this.vertx = vertx;
        this.current = current;
    }

    @Override
    public int run(String... arguments) {
        if (!(CommandLine.parse(arguments) instanceof CommandLine.Run run)) {
            throw new IllegalArgumentException("Main lets only a run through");
        }
        StateDirectory directory = new StateDirectory(run.stateDir());
        try (StateDirectory.Held lock = directory.holdForController()) {
            LOG.debugf("state directory held lock=%s", lock);
            return serve(
                    run, CertificateAuthority.open(directory, run.trustDomain(), Clock.systemUTC(), run.leafLife()));
        } catch (UnusableState e) {
            return Main.cannotStart(String.valueOf(e.getMessage()));
        } catch (IllegalStateException e) {
            LOG.debug("cannot start", e);
            Throwable cause = e.getCause();
            return Main.cannotStart(e.getMessage() + (cause == null ? "" : ": " + cause.getMessage()));
        }
    }

    private int serve(CommandLine.Run run, CertificateAuthority authority) {
        Clock clock = Clock.systemUTC();
        ProxyRegistry registry = new ProxyRegistry();
        Publisher publisher = new Publisher(registry);
        Refusals refusals = new Refusals();
        StreamCounters counters = new StreamCounters();
        TrafficWindow traffic = new TrafficWindow(clock);
        try (Reconciler reconciler = new Reconciler(authority, registry, publisher, clock);
                ResourceSource source =
                        new DirectorySource(run.dir(), run.stateDir().resolve("last-good"))) {
            current.set(new Views(new Controller(
                    reconciler::progress, authority, registry, publisher, refusals, counters, traffic, clock)));
            // The mesh is read before anybody can ask for it: a restart refuses nobody.
            source.start(reconciler::resources);
            try (DiscoveryServer server = DiscoveryServer.start(
                    vertx,
                    authority,
                    publisher,
                    registry,
                    refusals,
                    counters,
                    traffic::add,
                    reconciler::ask,
                    run.listen(),
                    DiscoveryLimits.DEFAULTS,
                    clock)) {
                reconciler.serve(server);
                reconciler.start();
                announce(run, server.port());
                Quarkus.waitForExit();
            }
        }
        return Main.OK;
    }

    @SuppressWarnings("SystemOut") // The one line people look for.
    private static void announce(CommandLine.Run run, int discoveryPort) {
        int port = run.http().port() != 0
                ? run.http().port()
                : ConfigProvider.getConfig().getValue("quarkus.http.port", Integer.class);
        System.out.printf(
                "Tulle's map: http://%s/ (proxies: %s)%n",
                new HostPort(run.http().host(), port), new HostPort(run.listen().host(), discoveryPort));
    }
}
