package dev.tulle.controller;

import dev.tulle.controller.api.Current;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.StateDirectory;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.watch.DirectorySource;
import dev.tulle.controller.watch.ResourceSource;
import dev.tulle.proxy.model.HostPort;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.vertx.core.Vertx;
import jakarta.enterprise.inject.Instance;
import java.time.Clock;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;

/** Wires the controller's parts together, waits for the end, and takes them down in turn. */
@SuppressWarnings("deprecation") // Of Prometheus' registries Quarkus has this one only.
public class ControllerApplication implements QuarkusApplication {
    private static final Logger LOG = Logger.getLogger(ControllerApplication.class);

    private final Vertx vertx;
    private final Current current;
    private final PrometheusMeterRegistry meters;
    private final Instance<KubernetesClient> client;

    /** @param client made only when asked for: without a cluster nobody does */
    public ControllerApplication(
            Vertx vertx, Current current, PrometheusMeterRegistry meters, Instance<KubernetesClient> client) {
        this.meters = meters;
        this.vertx = vertx;
        this.current = current;
        this.client = client;
    }

    @Override
    public int run(String... arguments) {
        if (!(CommandLine.parse(arguments) instanceof CommandLine.Run run)) {
            throw new IllegalArgumentException("Main lets only a run through");
        }
        try {
            return switch (run.objects()) {
                case CommandLine.Objects.InDirectory directory -> inDirectory(run, directory);
                case CommandLine.Objects.InKubernetes cluster -> inKubernetes(run, cluster);
            };
        } catch (UnusableState e) {
            return Main.cannotStart(String.valueOf(e.getMessage()));
        } catch (IllegalStateException | KubernetesClientException e) {
            LOG.debug("cannot start", e);
            Throwable cause = e.getCause();
            return Main.cannotStart(e.getMessage() + (cause == null ? "" : ": " + cause.getMessage()));
        }
    }

    private int inDirectory(CommandLine.Run run, CommandLine.Objects.InDirectory directory) throws UnusableState {
        StateDirectory state = new StateDirectory(directory.stateDir());
        try (StateDirectory.Held lock = state.holdForController()) {
            LOG.debugf("state directory held lock=%s", lock);
            CertificateAuthority authority =
                    CertificateAuthority.open(state, run.trustDomain(), Clock.systemUTC(), run.leafLife());
            try (ResourceSource source = new DirectorySource(
                            directory.dir(), directory.stateDir().resolve("last-good"));
                    Serving serving = Serving.start(
                            source,
                            Reconciler.ReadyBy.PROXIES,
                            Identities.byJoinToken(authority, Clock.systemUTC()),
                            run.listen(),
                            vertx,
                            current)) {
                announce(run, serving.port());
                Quarkus.waitForExit();
            }
        }
        return Main.OK;
    }

    private int inKubernetes(CommandLine.Run run, CommandLine.Objects.InKubernetes cluster) throws UnusableState {
        try (KubernetesController controller =
                new KubernetesController(run, cluster, client.get(), meters::scrape, vertx, current)) {
            controller.run();
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
