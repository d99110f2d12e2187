package dev.tulle.quickstart;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * What a proxy shows of itself to whoever opens a TLS connection to its public port.
 *
 * @param chain leaf first
 */
record WireCertificate(List<X509Certificate> chain) {
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final int SAN_URI = 6;

    WireCertificate {
        chain = List.copyOf(chain);
    }

    /**
     * Opens a TLS connection as a stranger without a certificate would, and keeps what the server sends.
     *
     * @param version {@code TLSv1.3} or an older one that the server should refuse
     * @throws IOException when no certificate came
     */
    static WireCertificate seenAt(int port, String version) throws IOException {
        Keeper keeper = new Keeper();
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
            plain.setSoTimeout(TIMEOUT_MILLIS);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {keeper}, null);
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "127.0.0.1", port, false);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(new String[] {version});
            parameters.setApplicationProtocols(new String[] {"h2", "http/1.1", "tulle-tcp"});
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        } catch (IOException e) {
            // The server asks for a certificate and we have none; by then it has shown its own.
            if (keeper.shown.isEmpty()) {
                throw e;
            }
        } catch (GeneralSecurityException e) {
            throw new IOException("no TLS in this JDK", e);
        }
        return new WireCertificate(keeper.shown);
    }

    /** The URI names of the leaf: a SPIFFE certificate has exactly one. */
    List<String> uris() throws GeneralSecurityException {
        List<String> uris = new ArrayList<>();
        Collection<List<?>> names = chain.getFirst().getSubjectAlternativeNames();
        for (List<?> name : names == null ? List.<List<?>>of() : names) {
            if (name.getFirst().equals(SAN_URI)) {
                uris.add(String.valueOf(name.get(1)));
            }
        }
        return uris;
    }

    /** Whether the chain leads to the root in {@code anchorPem}, at this moment. */
    boolean leadsTo(String anchorPem) throws GeneralSecurityException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate anchor =
                (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(anchorPem.getBytes(US_ASCII)));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        try {
            CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(chain), parameters);
            return true;
        } catch (java.security.cert.CertPathValidatorException e) {
            return false;
        }
    }

    /** Accepts everything: whoever looks at the certificate judges it later. */
    private static final class Keeper extends X509ExtendedTrustManager {
        private volatile List<X509Certificate> shown = List.of();

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
            shown = List.of(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            shown = List.of(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            shown = List.of(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
