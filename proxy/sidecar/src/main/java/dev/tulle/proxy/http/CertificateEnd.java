package dev.tulle.proxy.http;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** How long the certificates under a connection still count: a connection must not outlive them. */
final class CertificateEnd {
    /** Where there is no certificate. */
    static final long NEVER = Long.MAX_VALUE;

    private static final long CENTURY_MILLIS = TimeUnit.DAYS.toMillis(36_500);

    private CertificateEnd() {}

    /** Milliseconds until the first of both sides' certificates ends, or {@link #NEVER}. Call it when the handshake is done. */
    static long millisLeft(ChannelPipeline pipeline) {
        SslHandler tls = pipeline.get(SslHandler.class);
        if (tls == null) {
            return NEVER;
        }
        SSLSession session = tls.engine().getSession();
        long end = end(session.getLocalCertificates());
        try {
            end = Math.min(end, end(session.getPeerCertificates()));
        } catch (SSLPeerUnverifiedException e) {
            // Without a certificate of the peer only ours ends.
        }
        return end == NEVER ? NEVER : end - System.currentTimeMillis();
    }

    /** As {@link System#nanoTime} tells it, when a connection has to begin to end so that {@code drainMillis} are left for it. */
    static long drainNanos(ChannelPipeline pipeline, long drainMillis) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMillis(millisLeft(pipeline), drainMillis));
    }

    /** How long nothing needs to be done; never more than a century, so that it can be added to a time. */
    static long delayMillis(long millisLeft, long drainMillis) {
        return Math.min(Math.max(millisLeft / 2, millisLeft - drainMillis), CENTURY_MILLIS);
    }

    private static long end(Certificate @Nullable [] chain) {
        return chain != null && chain.length > 0 && chain[0] instanceof X509Certificate leaf
                ? leaf.getNotAfter().toInstant().toEpochMilli()
                : NEVER;
    }
}
