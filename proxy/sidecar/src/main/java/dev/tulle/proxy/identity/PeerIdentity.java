package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.SpiffeId;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Whom the other side of a TLS connection has proved to be.
 *
 * <p>Call it once a connection, after its handshake, and keep the answer: it parses the certificate. It tells what {@link
 * PeerVerifier} has accepted; whether that is the one expected (secure naming) is for the caller to compare.
 */
public final class PeerIdentity {
    private static final int URI_NAME = 6;

    private PeerIdentity() {}

    /** The identity behind a connection whose handshake is done; empty when the peer showed no certificate. */
    public static Optional<SpiffeId> of(SslHandler handler) {
        return of(handler.engine().getSession());
    }

    /** The identity behind a session; empty when the peer showed no certificate. */
    public static Optional<SpiffeId> of(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate leaf ? ofLeaf(leaf) : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    /** The identity in a certificate: its only URI name, if that is of our form. No other name counts. */
    static Optional<SpiffeId> ofLeaf(X509Certificate leaf) {
        Collection<List<?>> names;
        try {
            names = leaf.getSubjectAlternativeNames();
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
        if (names == null) {
            return Optional.empty();
        }
        List<String> uris = names.stream()
                .filter(name -> name.get(0).equals(URI_NAME))
                .map(name -> String.valueOf(name.get(1)))
                .toList();
        return uris.size() == 1 ? SpiffeId.parse(uris.getFirst()) : Optional.empty();
    }
}
