package dev.tulle.controller.trust;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The webhooks' certificate, and where its exchange stands; kept whole in one Secret. Pure.
 *
 * <pre>
 * Settled --(two thirds of its life)--> Announced   the next one is made; both authorities stand in the caBundle, the old one serves;
 *                                                   so too when it lacks a name, having been made by an earlier version
 * Announced --({@link #SPREAD} later)-> Exchanged   the new one serves; both authorities still stand in the caBundle
 * Exchanged --({@link #SPREAD} later)-> Settled     the old authority is forgotten
 * </pre>
 *
 * @param serving shown to the API server
 * @param next made and announced, not yet shown
 * @param former the authority of the one before, while some replica may still show that
 * @param since when this phase began
 */
record WebhookKeys(WebhookPair serving, Optional<WebhookPair> next, Optional<String> former, Instant since) {
    /** Enough for every API server to see a new caBundle, and for every replica to see a new certificate. */
    static final Duration SPREAD = Duration.ofSeconds(60);

    WebhookKeys {
        requireNonNull(serving, "serving");
        requireNonNull(next, "next");
        requireNonNull(former, "former");
        requireNonNull(since, "since");
        if (next.isPresent() && former.isPresent()) {
            throw new IllegalArgumentException("a webhook certificate is announced while another one is exchanged");
        }
    }

    static WebhookKeys settled(WebhookPair pair, Instant now) {
        return new WebhookKeys(pair, Optional.empty(), Optional.empty(), now);
    }

    /** The authorities the API server has to know, PEM. */
    List<String> authorities() {
        return Stream.of(former.stream(), Stream.of(serving.authority()), next.map(WebhookPair::authority).stream())
                .flatMap(one -> one)
                .toList();
    }

    /**
     * What is to be now.
     *
     * @param heldSince since when every webhook configuration holds {@link #authorities}; empty when one does not
     * @param fresh makes the next pair
     */
    WebhookKeys due(Optional<Instant> heldSince, Supplier<WebhookPair> fresh, Instant now) {
        boolean over = heldSince.isPresent()
                && !now.isBefore(since.plus(SPREAD))
                && !now.isBefore(heldSince.get().plus(SPREAD));
        if (next.isPresent()) {
            return over ? new WebhookKeys(next.get(), Optional.empty(), Optional.of(serving.authority()), now) : this;
        }
        if (former.isPresent()) {
            return over ? settled(serving, now) : this;
        }
        if (!serving.isGoodAt(now)) {
            // Nobody believes it any more, so that nothing is lost by showing the new one at once.
            return settled(fresh.get(), now);
        }
        return serving.ages(now) || !serving.names().containsAll(WebhookSecret.NAMES)
                ? new WebhookKeys(serving, Optional.of(fresh.get()), former, now)
                : this;
    }
}
