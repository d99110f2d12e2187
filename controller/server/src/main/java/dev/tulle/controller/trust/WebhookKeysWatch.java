package dev.tulle.controller.trust;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jboss.logging.Logger;

/**
 * Gives this replica's webhook server the newest certificate, each time there is another one; on every replica.
 *
 * <p>A Secret that is missing or damaged changes nothing: the last good one stays.
 */
public final class WebhookKeysWatch implements AutoCloseable {
    /** Between two looks; much shorter than {@link WebhookKeys#SPREAD}. */
    static final Duration LOOK = Duration.ofSeconds(2);

    private static final Logger LOG = Logger.getLogger(WebhookKeysWatch.class);

    private final KubernetesClient client;
    private final BiConsumer<String, String> taker;
    private final Upkeep upkeep;
    private volatile Optional<WebhookPair> given = Optional.empty();

    private WebhookKeysWatch(KubernetesClient client, BiConsumer<String, String> taker, MeterRegistry registry) {
        Gauge.builder("tulle_identity_certificate_expiry_timestamp_seconds", this, WebhookKeysWatch::ends)
                .description("End of a certificate; for workloads of the one that ends first")
                .tag("certificate", "webhook")
                .strongReference(true)
                .register(registry);
        this.client = client;
        this.taker = taker;
        this.upkeep = new Upkeep(
                "tulle-webhook-keys",
                List.of(new Upkeep.Piece("the webhooks' certificate", this::look)),
                LOOK,
                () -> true);
    }

    /**
     * Begins to look.
     *
     * @param taker of a chain, leaf first, and its key, PKCS#8, both PEM; called from one thread, and again with the same when it throws
     * @param registry told when the certificate ends
     */
    public static WebhookKeysWatch start(
            KubernetesClient client, BiConsumer<String, String> taker, MeterRegistry registry) {
        return new WebhookKeysWatch(client, taker, registry);
    }

    private double ends() {
        return given.map(pair -> (double) pair.ends().getEpochSecond()).orElse(Double.NaN);
    }

    private void look() {
        Optional<WebhookPair> now =
                WebhookSecret.secret(client).flatMap(WebhookSecret::read).map(WebhookKeys::serving);
        if (now.isPresent() && !now.equals(given)) {
            taker.accept(now.get().chain(), now.get().key());
            given = now;
            LOG.infof("webhook certificate taken until=%s", now.get().ends());
        }
    }

    @Override
    public void close() {
        upkeep.close();
    }
}
