package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.security.cert.X509Certificate;

/**
 * An issuer somebody else made for us, checked: it signs as it is, and its root is trusted.
 *
 * @param issuer key, certificate, and what stands between it and the root
 * @param root trust anchor; the issuer's own certificate where that is self-signed
 */
public record GivenIssuer(SigningKey issuer, X509Certificate root) {
    public GivenIssuer {
        requireNonNull(issuer, "issuer");
        requireNonNull(root, "root");
    }
}
