package dev.tulle.controller;

import dev.tulle.controller.api.Current;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.StateDirectory;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.kubernetes.KubernetesSource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jboss.logging.Logger;

/**
 * The controller in a cluster: what every replica does, and what only the leader does.
 *
 * <p>Parts are closed in the reverse of the order they were started in. A replica that stops leading ends its process: what it did as
 * leader is not taken back piece by piece.
 */
final class KubernetesController implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(KubernetesController.class);

    private final CommandLine.Run run;
    private final CommandLine.Objects.InKubernetes cluster;
    private final KubernetesClient client;
    private final Vertx vertx;
    private final Current current;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final KubernetesSource source;

    KubernetesController(
            CommandLine.Run run,
            CommandLine.Objects.InKubernetes cluster,
            KubernetesClient client,
            Vertx vertx,
            Current current) {
        this.run = run;
        this.cluster = cluster;
        this.client = client;
        this.vertx = vertx;
        this.current = current;
        this.source = new KubernetesSource(client);
    }

    /**
     * Starts what every replica does, and begins to stand for leader.
     *
     * @throws IllegalStateException when some part cannot start
     */
    void start() throws UnusableState {
        parts.push(source);
        source.watch();
        LOG.debugf("cluster mode admin=%s webhook=%s", cluster.admin(), cluster.webhook());
        // Parts of every replica: one line each, here.
        lead();
    }

    /** Starts what only the leader does; called once, when this replica became the leader. */
    private void lead() throws UnusableState {
        CertificateAuthority authority = openAuthority();
        // Parts of the leader: one line each, here; those that proxies need before those that serve them.
        parts.push(Serving.start(source, Reconciler.ReadyBy.OBJECTS, authority, run.listen(), vertx, current));
        LOG.infof("leading namespaces=%s", client.getNamespace());
    }

    private CertificateAuthority openAuthority() throws UnusableState {
        try {
            return CertificateAuthority.open(
                    new StateDirectory(Files.createTempDirectory("tulle-authority")),
                    run.trustDomain(),
                    Clock.systemUTC(),
                    run.leafLife());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.warnf("not closed part=%s cause=%s", part.getClass().getSimpleName(), e.getMessage());
            }
        }
    }
}
