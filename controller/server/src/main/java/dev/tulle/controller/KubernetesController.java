package dev.tulle.controller;

import dev.tulle.controller.api.Current;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.controller.kubernetes.AdminServer;
import dev.tulle.controller.kubernetes.EventReporter;
import dev.tulle.controller.kubernetes.KubernetesSource;
import dev.tulle.controller.kubernetes.LeaderLabel;
import dev.tulle.controller.kubernetes.Leadership;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.trafficmetrics.TrafficMetricsApi;
import dev.tulle.controller.trust.ClusterIdentities;
import dev.tulle.controller.trust.WebhookKeysWatch;
import dev.tulle.controller.webhook.ServingCertificate;
import dev.tulle.controller.webhook.Webhook;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.Metrics;
import io.quarkus.runtime.Quarkus;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;

/**
 * The controller in a cluster: what every replica does, and what only the leader does.
 *
 * <p>Parts are closed in the reverse of the order they were started in. A replica that stops leading ends its process: what it did as
 * leader is not taken back piece by piece.
 */
final class KubernetesController implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(KubernetesController.class);

    private static final String NAMESPACE = MeshSettings.CONFIG_MAP.namespace();
    private static final String LEASE = "tulle-controller";
    /** How long the process may take to end once it leads no longer. */
    private static final Duration LAST_MOMENT = Duration.ofSeconds(3);

    private static final int LOST = 3;

    private final CommandLine.Run run;
    private final CommandLine.Objects.InKubernetes cluster;
    private final KubernetesClient client;
    private final Supplier<String> metrics;
    private final Vertx vertx;
    private final Current current;
    private final Clock clock = Clock.systemUTC();
    private volatile Optional<Webhook> webhook = Optional.empty();
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Deque<AutoCloseable> leaderParts = new ArrayDeque<>();
    private final KubernetesSource source;
    private final TrafficMetricsApi trafficMetrics;
    private final String pod;
    private final LeaderLabel label;
    private final Leadership leadership;

    KubernetesController(
            CommandLine.Run run,
            CommandLine.Objects.InKubernetes cluster,
            KubernetesClient client,
            Supplier<String> metrics,
            Vertx vertx,
            Current current) {
        this.run = run;
        this.cluster = cluster;
        this.client = client;
        this.metrics = metrics;
        this.vertx = vertx;
        this.current = current;
        this.source = new KubernetesSource(client);
        this.trafficMetrics = new TrafficMetricsApi(client, vertx, clock);
        this.pod = pod();
        this.label = new LeaderLabel(client, NAMESPACE, pod);
        this.leadership = new Leadership(
                client,
                NAMESPACE,
                LEASE,
                pod + "_" + UUID.randomUUID(),
                Leadership.Timing.DEFAULT,
                clock,
                KubernetesController::endNow);
    }

    /** A pod's host name is its name. */
    private static String pod() {
        return Optional.ofNullable(System.getenv("POD_NAME"))
                .or(() -> Optional.ofNullable(System.getenv("HOSTNAME")))
                .filter(name -> !name.isEmpty())
                .orElse("tulle-controller");
    }

    /**
     * Runs what every replica does, and what the leader does once this replica is it; returns when the process is to end.
     *
     * @throws IllegalStateException when some part cannot start
     */
    void run() throws UnusableState {
        parts.push(AdminServer.start(vertx, cluster.admin(), this::unready, metrics));
        parts.push(source);
        source.watch();
        // Parts of every replica: one line each, here.
        Webhook reviewing = new Webhook(
                client,
                vertx,
                cluster.webhook(),
                Metrics.globalRegistry,
                System.getenv(),
                version(),
                source::known,
                Map.of("apis", trafficMetrics, "openapi", trafficMetrics));
        webhook = Optional.of(reviewing);
        parts.push(reviewing); // Listens from its first certificate on.
        parts.push(WebhookKeysWatch.start(
                client, (chain, key) -> reviewing.use(new ServingCertificate(chain, key)), Metrics.globalRegistry));
        Thread leading = Thread.ofPlatform().daemon().name("tulle-leading").start(this::standAndLead);
        Quarkus.waitForExit();
        leading.interrupt();
    }

    private static String version() {
        return ConfigProvider.getConfig().getValue("quarkus.application.version", String.class);
    }

    private Optional<String> unready() {
        if (!source.synced()) {
            return Optional.of("The objects of the cluster are being read.");
        }
        if (webhook.flatMap(Webhook::port).isEmpty()) {
            return Optional.of("The webhooks wait for their certificate, Secret tulle-system/tulle-webhook.");
        }
        return Optional.empty();
    }

    private void standAndLead() {
        try {
            if (!source.awaitSynced()) {
                return;
            }
            label.giveBack();
            leadership.stand();
            if (leadership.await()) {
                lead();
            }
        } catch (InterruptedException e) {
            LOG.debug("ended before it led");
        } catch (UnusableState | RuntimeException e) {
            LOG.error("cannot lead", e);
            Quarkus.asyncExit(Main.CANNOT_START);
        }
    }

    /** Starts what only the leader does; called once, when this replica became the leader. */
    private void lead() throws UnusableState {
        synchronized (leaderParts) {
            ClusterIdentities identities =
                    ClusterIdentities.start(client, run.trustDomain(), run.leafLife(), clock, leadership::mayWrite);
            leaderParts.push(identities);
            // Parts of the leader: one line each, here; those that proxies need before those that serve them.
            Serving serving = Serving.start(
                    source,
                    Reconciler.ReadyBy.OBJECTS,
                    new Identities(identities.authority(), identities.attestor(), identities::problems),
                    run.listen(),
                    vertx,
                    current);
            leaderParts.push(serving);
            leaderParts.push(trafficMetrics.lead(serving.seen()));
            leaderParts.push(new EventReporter(client, pod, serving::problems, source::reference, clock)
                    .start(leadership::mayWrite));
            label.take();
        }
        LOG.infof("serving proxies=%s", run.listen());
    }

    /** A leader that was replaced must not serve one moment longer than it takes. */
    private static void endNow() {
        Quarkus.asyncExit(LOST);
        Thread.ofPlatform().daemon().name("tulle-last-moment").start(() -> {
            try {
                Thread.sleep(LAST_MOMENT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(LOST);
        });
    }

    /** Gives the label back, ends what the leader does, gives the Lease back, and ends the rest. */
    @Override
    public void close() {
        if (leadership.mayWrite()) {
            close(label::giveBack);
        }
        synchronized (leaderParts) {
            closeAll(leaderParts);
        }
        close(leadership);
        closeAll(parts);
    }

    private static void closeAll(Deque<AutoCloseable> open) {
        while (!open.isEmpty()) {
            close(open.pop());
        }
    }

    private static void close(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.warnf("not closed part=%s cause=%s", part.getClass().getSimpleName(), e.getMessage());
        }
    }
}
