package dev.tulle.controller.trust;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.identity.ServerCertificates;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A certificate for the webhooks' server and the small authority it was made by, whose key nobody kept.
 *
 * @param chain PEM, leaf first
 * @param key PEM, PKCS#8
 * @param authority PEM, what the API server is to believe
 * @param names of the server that it stands for
 * @param begins and ends of the leaf
 */
record WebhookPair(String chain, String key, String authority, Set<String> names, Instant begins, Instant ends) {
    WebhookPair {
        requireNonNull(chain, "chain");
        requireNonNull(key, "key");
        requireNonNull(authority, "authority");
        names = Set.copyOf(names);
        requireNonNull(begins, "begins");
        requireNonNull(ends, "ends");
    }

    /**
     * Reads what was kept.
     *
     * @throws GeneralSecurityException when it cannot be read, or the parts do not belong together
     */
    static WebhookPair of(String chain, String key, String authority) throws GeneralSecurityException {
        X509Certificate leaf = ServerCertificates.verified(chain, key, authority);
        return new WebhookPair(
                chain,
                key,
                authority,
                names(leaf),
                leaf.getNotBefore().toInstant(),
                leaf.getNotAfter().toInstant());
    }

    private static Set<String> names(X509Certificate leaf) throws GeneralSecurityException {
        @Nullable Collection<List<?>> alternatives = leaf.getSubjectAlternativeNames();
        Set<String> names = new HashSet<>();
        if (alternatives != null) {
            alternatives.forEach(alternative -> names.add(String.valueOf(alternative.get(1))));
        }
        return names;
    }

    boolean isGoodAt(Instant now) {
        return now.isBefore(ends);
    }

    /** Whether two thirds of its life are over. */
    boolean ages(Instant now) {
        return !now.isBefore(
                begins.plus(Duration.between(begins, ends).multipliedBy(2).dividedBy(3)));
    }

    /** Never the key. */
    @Override
    public String toString() {
        return "WebhookPair[until " + ends + "]";
    }
}
