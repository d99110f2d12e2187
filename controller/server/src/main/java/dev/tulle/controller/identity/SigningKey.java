package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * A private key that signs certificates, and the certificate that says so.
 *
 * @param key EC P-256; never leaves the controller but for its state directory
 * @param certificate of a root or an issuer
 */
public record SigningKey(PrivateKey key, X509Certificate certificate) {
    public SigningKey {
        requireNonNull(key, "key");
        requireNonNull(certificate, "certificate");
    }

    /** Subject key identifier, lower-case hex. */
    public String id() {
        return Certificates.subjectKeyId(certificate);
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
