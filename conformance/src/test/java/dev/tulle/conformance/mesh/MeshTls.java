package dev.tulle.conformance.mesh;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** TLS as a stranger would speak it to a proxy's public port: any certificate or none, any ALPN, no judgement of the other side. */
public final class MeshTls {
    private static final char[] PASSWORD = "unused".toCharArray();

    private MeshTls() {}

    /** A socket after its handshake; the handshake itself may already fail, or, as TLS 1.3 allows, the first read. */
    public static SSLSocket dial(int port, Optional<TestAuthority.Leaf> certificate, String... alpn)
            throws IOException {
        SSLSocket socket = (SSLSocket)
                context(certificate).getSocketFactory().createSocket(RawConnection.dial(port), "127.0.0.1", port, true);
        socket.setSoTimeout((int) Duration.ofSeconds(10).toMillis());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(alpn);
        parameters.setProtocols(new String[] {"TLSv1.3"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** Shows this certificate when asked for one and believes everyone. */
    public static SSLContext context(Optional<TestAuthority.Leaf> certificate) {
        try {
            KeyManager[] keys = null;
            if (certificate.isPresent()) {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, PASSWORD);
                store.setKeyEntry(
                        "leaf",
                        certificate.get().key(),
                        PASSWORD,
                        certificate.get().chain().toArray(X509Certificate[]::new));
                KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
                factory.init(store, PASSWORD);
                keys = factory.getKeyManagers();
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, new TrustManager[] {new BelievesEveryone()}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("making a TLS context", e);
        }
    }

    private static final class BelievesEveryone extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
