package dev.tulle.controller.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tulle.controller.identity.ServerCertificates;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The webhooks' certificate in the Secret {@code tulle-webhook}: made and renewed by the leader, read by every replica.
 *
 * <p>{@code tls.crt}, {@code tls.key}: what is shown; {@code ca.crt}: all authorities of the present phase; {@code next.*}: what was
 * announced. One that is missing or damaged is simply made anew: nothing but the caBundle hangs on it. {@link #keep} runs on one thread.
 */
final class WebhookSecret {
    /** Life of a certificate. */
    static final Duration LIFE = Duration.ofDays(90);

    /** Of the Services by which the API server calls: webhooks, and the TrafficMetrics API. */
    static final List<String> NAMES = List.of(
            "tulle-webhook.tulle-system.svc",
            "tulle-webhook.tulle-system.svc.cluster.local",
            "tulle-webhook.tulle-system",
            "tulle-traffic-metrics.tulle-system.svc");

    private static final String SINCE = "tulle.dev/since";
    private static final Logger LOG = Logger.getLogger(WebhookSecret.class);

    private final KubernetesClient client;
    private final CaBundles bundles;
    private final Duration life;
    private final Clock clock;
    private volatile Optional<WebhookKeys> kept = Optional.empty();

    WebhookSecret(KubernetesClient client, CaBundles bundles, Duration life, Clock clock) {
        this.client = client;
        this.bundles = bundles;
        this.life = life;
        this.clock = clock;
    }

    /** What was kept when it was last looked at. */
    Optional<WebhookKeys> kept() {
        return kept;
    }

    /** One look: does the next step if it is due, and sees that the API server knows the authorities. */
    void keep() {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        Optional<Secret> there = secret(client);
        Optional<WebhookKeys> before = there.flatMap(WebhookSecret::read);
        if (there.isEmpty()) {
            // Written again from memory where that is known: then replicas and API server need nothing new.
            WebhookKeys keys = kept.orElseGet(() -> WebhookKeys.settled(fresh(), now));
            if (!create(keys)) {
                return; // Another controller was faster; its keys are read the next time.
            }
            before = Optional.of(keys);
        } else if (before.isEmpty()) {
            LOG.warnf("webhook certificate unusable, made anew secret=%s/%s", Owned.NAMESPACE, Owned.WEBHOOK);
            WebhookKeys keys = kept.orElseGet(() -> WebhookKeys.settled(fresh(), now));
            if (!update(there.get(), keys)) {
                return;
            }
            before = Optional.of(keys);
        }
        WebhookKeys keys = before.orElseThrow();
        Optional<Instant> heldSince = bundles.write(keys.authorities());
        kept = Optional.of(keys);
        WebhookKeys next = keys.due(heldSince, this::fresh, now);
        if (!next.equals(keys)) {
            Optional<Secret> again = secret(client);
            if (again.isPresent()
                    && again.flatMap(WebhookSecret::read).equals(Optional.of(keys))
                    && update(again.get(), next)) {
                kept = Optional.of(next);
                LOG.infof(
                        "webhook certificate moved on announced=%s until=%s",
                        next.next().isPresent(), next.serving().ends());
                Optional<Instant> unused = bundles.write(next.authorities());
            }
        }
    }

    /** What a Secret holds; empty when it is damaged. */
    static Optional<WebhookKeys> read(Secret secret) {
        Map<String, String> data = secret.getData() == null ? Map.of() : secret.getData();
        Map<String, String> annotations = secret.getMetadata().getAnnotations() == null
                ? Map.of()
                : secret.getMetadata().getAnnotations();
        try {
            WebhookPair serving =
                    WebhookPair.of(text(data, "tls.crt"), text(data, "tls.key"), text(data, "serving-ca.crt"));
            Optional<WebhookPair> next = data.containsKey("next.crt")
                    ? Optional.of(
                            WebhookPair.of(text(data, "next.crt"), text(data, "next.key"), text(data, "next-ca.crt")))
                    : Optional.empty();
            Optional<String> former =
                    data.containsKey("former-ca.crt") ? Optional.of(text(data, "former-ca.crt")) : Optional.empty();
            return Optional.of(
                    new WebhookKeys(serving, next, former, Instant.parse(annotations.getOrDefault(SINCE, ""))));
        } catch (GeneralSecurityException | IllegalArgumentException | DateTimeException e) {
            LOG.debugf("webhook certificate unusable cause=%s", e.getMessage());
            return Optional.empty();
        }
    }

    static Optional<Secret> secret(KubernetesClient client) {
        @Nullable Secret found = client.secrets()
                .inNamespace(Owned.NAMESPACE)
                .withName(Owned.WEBHOOK)
                .get();
        return Optional.ofNullable(found);
    }

    private WebhookPair fresh() {
        ServerCertificates.Made made = ServerCertificates.make(NAMES, life, clock.instant());
        try {
            return WebhookPair.of(made.chain(), made.key(), made.authority());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a webhook certificate just made cannot be read", e);
        }
    }

    private boolean create(WebhookKeys keys) {
        Secret made = new SecretBuilder()
                .withNewMetadata()
                .withName(Owned.WEBHOOK)
                .withNamespace(Owned.NAMESPACE)
                .withLabels(Owned.LABELS)
                .addToAnnotations(SINCE, since(keys))
                .endMetadata()
                .withType("kubernetes.io/tls")
                .withData(data(keys))
                .build();
        return Owned.unlessConflict(() -> client.resource(made).create());
    }

    private boolean update(Secret read, WebhookKeys keys) {
        Secret next = new SecretBuilder(read)
                .editMetadata()
                .addToAnnotations(SINCE, since(keys))
                .endMetadata()
                .withData(data(keys))
                .build();
        return Owned.unlessConflict(() -> client.resource(next).update());
    }

    private static String since(WebhookKeys keys) {
        return keys.since().toString();
    }

    private static Map<String, String> data(WebhookKeys keys) {
        Map<String, String> data = new HashMap<>();
        put(data, "tls.crt", keys.serving().chain());
        put(data, "tls.key", keys.serving().key());
        put(data, "ca.crt", String.join("", keys.authorities()));
        put(data, "serving-ca.crt", keys.serving().authority());
        keys.next().ifPresent(next -> {
            put(data, "next.crt", next.chain());
            put(data, "next.key", next.key());
            put(data, "next-ca.crt", next.authority());
        });
        keys.former().ifPresent(former -> put(data, "former-ca.crt", former));
        return data;
    }

    private static void put(Map<String, String> data, String key, String text) {
        data.put(key, Base64.getEncoder().encodeToString(text.getBytes(UTF_8)));
    }

    private static String text(Map<String, String> data, String key) {
        String value = data.get(key);
        if (value == null) {
            throw new IllegalArgumentException("its key '%s' is missing".formatted(key));
        }
        return new String(Base64.getDecoder().decode(value), UTF_8);
    }
}
