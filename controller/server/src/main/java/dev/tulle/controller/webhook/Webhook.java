package dev.tulle.controller.webhook;

import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.model.HostPort;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The webhooks of one replica: their server, and what it looks things up in. Serves from its first certificate on. */
public final class Webhook implements AutoCloseable {
    private final ClusterSettings settings;
    private final ClusterNamespaces namespaces;
    private final LeftOutEvents events;
    private final WebhookServer server;

    /**
     * Begins to watch what it needs, and does not listen yet.
     *
     * @param environment see {@link ClusterSettings}; {@code POD_NAME} says who writes Events
     * @param version of this controller
     * @param watched everything there is, once it was read: what an object is judged among
     * @param more further handlers at the same server, by the first part of the paths they answer
     */
    public Webhook(
            KubernetesClient client,
            Vertx vertx,
            HostPort listen,
            MeterRegistry registry,
            Map<String, String> environment,
            String version,
            Supplier<Optional<Resources>> watched,
            Map<String, Handler<HttpServerRequest>> more) {
        settings = new ClusterSettings(client, environment, version);
        namespaces = new ClusterNamespaces(client);
        events = new LeftOutEvents(client, environment.getOrDefault("POD_NAME", "tulle-controller"), Clock.systemUTC());
        server = new WebhookServer(
                vertx,
                new Hooks(settings, namespaces, events, watched),
                listen,
                WebhookLimits.DEFAULTS,
                new WebhookMeters(registry),
                more);
    }

    /**
     * Shows this certificate from now on; the first one makes it listen.
     *
     * @throws IllegalStateException when it cannot listen, or the certificate is unusable
     */
    public void use(ServingCertificate certificate) {
        server.use(certificate);
    }

    /** The port it listens on; absent before the first certificate. */
    public Optional<Integer> port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
        events.close();
        namespaces.close();
        settings.close();
    }
}
