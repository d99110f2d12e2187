package dev.tulle.controller.webhook;

import static java.util.Objects.requireNonNull;

/**
 * What the webhook server shows the API server.
 *
 * @param chain PEM, leaf first; for {@code tulle-webhook.tulle-system.svc}
 * @param key PEM, PKCS#8
 */
public record ServingCertificate(String chain, String key) {
    public ServingCertificate {
        requireNonNull(chain, "chain");
        requireNonNull(key, "key");
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ServingCertificate[chain of %d characters]".formatted(chain.length());
    }
}
