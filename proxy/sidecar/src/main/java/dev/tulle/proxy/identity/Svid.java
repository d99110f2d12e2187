package dev.tulle.proxy.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * The certificate that carries this proxy's identity, and its key.
 *
 * <p>Source: SPIFFE X509-SVID.
 *
 * @param key of the leaf; made here, never sent anywhere
 * @param chain leaf first, then intermediates; the anchor is not part of it
 * @param identity of the leaf
 */
public record Svid(PrivateKey key, List<X509Certificate> chain, SpiffeId identity) {
    public Svid {
        requireNonNull(key, "key");
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("the chain of %s is empty".formatted(identity));
        }
        requireNonNull(identity, "identity");
    }

    public X509Certificate leaf() {
        return chain.getFirst();
    }

    /** The end of the leaf. */
    public Instant notAfter() {
        return leaf().getNotAfter().toInstant();
    }

    /** Lower-case hex authority key identifier of the leaf; empty when it has none. */
    public String issuer() {
        return Certificates.authorityKeyId(leaf());
    }

    /** Tells who and until when, never the key. */
    @Override
    public String toString() {
        return "Svid[" + identity + " until " + notAfter() + "]";
    }
}
