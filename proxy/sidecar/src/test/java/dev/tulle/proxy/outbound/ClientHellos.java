package dev.tulle.proxy.outbound;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/** First messages of TLS clients, made by the JDK's own engine. */
public final class ClientHellos {
    private ClientHellos() {}

    /** A ClientHello that offers these protocols by ALPN and names a server. */
    public static byte[] offering(String... protocols) {
        try {
            SSLEngine engine = SSLContext.getDefault().createSSLEngine("Shop.example", 443);
            engine.setUseClientMode(true);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(protocols);
            engine.setSSLParameters(parameters);
            ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
            engine.wrap(ByteBuffer.allocate(0), out);
            byte[] hello = new byte[out.flip().remaining()];
            out.get(hello);
            return hello;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
