package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Optional;

/**
 * A root the mesh trusts: one of ours, or one that somebody else keeps the key of.
 *
 * @param certificate the trust anchor
 * @param key ours only; absent where the issuer was given to us, see {@link GivenIssuer}
 */
public record Root(X509Certificate certificate, Optional<PrivateKey> key) {
    public Root {
        requireNonNull(certificate, "certificate");
        requireNonNull(key, "key");
    }

    static Root ours(SigningKey root) {
        return new Root(root.certificate(), Optional.of(root.key()));
    }

    static Root theirs(X509Certificate certificate) {
        return new Root(certificate, Optional.empty());
    }

    /** Whether we can sign with it, and so exchange it by ourselves. */
    public boolean isOurs() {
        return key.isPresent();
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

    /** What signs issuers under it. */
    SigningKey signingKey() {
        return new SigningKey(
                key.orElseThrow(() -> new IllegalStateException("the key of the root " + id() + " is not ours")),
                certificate);
    }

    /** Whether it has passed two thirds of its life: time for the next one, if it is ours. */
    boolean ages(Instant now) {
        return !now.isBefore(Certificates.twoThirds(notBefore(), notAfter()));
    }

    /** Names the certificate only: a key is never printed. */
    @Override
    public String toString() {
        return "Root[" + id() + (isOurs() ? "]" : ", not ours]");
    }
}
