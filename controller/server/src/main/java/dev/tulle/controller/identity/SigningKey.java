package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * A private key that signs certificates, and the certificate that says so.
 *
 * @param key EC P-256 where it is ours; EC P-256, P-384 or RSA where it was given to us. Never leaves the controller but for where its
 *     state is kept
 * @param certificate of a root or an issuer
 * @param above certificates between it and its root, nearest first; ours have none
 */
public record SigningKey(PrivateKey key, X509Certificate certificate, List<X509Certificate> above) {
    public SigningKey {
        requireNonNull(key, "key");
        requireNonNull(certificate, "certificate");
        above = List.copyOf(above);
    }

    /** One directly under its root. */
    public SigningKey(PrivateKey key, X509Certificate certificate) {
        this(key, certificate, List.of());
    }

    /** Subject key identifier, lower-case hex. */
    public String id() {
        return Certificates.keyId(certificate);
    }

    public Instant notBefore() {
        return certificate.getNotBefore().toInstant();
    }

    public Instant notAfter() {
        return certificate.getNotAfter().toInstant();
    }

    /** When two thirds of its life are over: time for the next one. */
    Instant rotateAt() {
        return Certificates.twoThirds(notBefore(), notAfter());
    }

    /** Names the certificate only: a key is never printed. */
    @Override
    public String toString() {
        return "SigningKey[" + id() + "]";
    }
}
