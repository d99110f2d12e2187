package dev.tulle.proxy.identity;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.internal.tcnative.SSL;
import io.netty.util.NetUtil;
import io.netty.util.ReferenceCountUtil;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * The TLS contexts in force: made anew, all of them, for each certificate or trust bundle, and swapped by one reference.
 *
 * <p>TLS 1.3 by BoringSSL, both sides show certificates, peers are judged by {@link PeerVerifier}. Readers take {@link #current()} once
 * a connection, on any thread; {@link #install} is called from one thread at a time.
 *
 * <p>Sessions are resumed between proxies, without early data. A ticket is good in the generation that gave it and in no other: the keys
 * that seal it and the store that keeps it are part of the contexts. It is kept for one address and one expected identity. The chain
 * the peer showed in the full handshake stays with the session and is judged again, by {@link Current#caller} and {@link
 * Current#callee}, whenever it is resumed; so a resumed connection proves neither more nor longer than a full one.
 */
public final class TlsContexts {
    /** Contexts that were replaced last are kept, for a thread that has just read them. */
    private static final int KEPT = 2;

    /**
     * Where Netty puts our key on its way into BoringSSL, in memory only. The usual PKCS12 store would encrypt it by ten thousand rounds
     * of SHA-256 and decrypt it again, for each context: a quarter of a start, and a pause at each renewal.
     */
    private static final String KEY_STORE = "JKS";

    private final Clock clock;
    private final Limits.Tls limits;
    private final List<Consumer<Current>> listeners = new CopyOnWriteArrayList<>();
    private final Deque<Current> replaced = new ArrayDeque<>();
    private volatile @Nullable Current current;

    public TlsContexts(Clock clock, Limits.Tls limits) {
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * One generation of contexts.
     *
     * @param generation grows by one with each swap; part of the key of every pool of connections
     * @param identity whom we prove to be
     * @param notAfter end of our certificate
     * @param serial of our certificate, tells it from the one before
     * @param server accepts all of {@link Alpn} and demands a certificate
     * @param clients one a protocol, which it offers first
     * @param verifier judges peers by the bundle of this generation
     */
    public record Current(
            long generation,
            SpiffeId identity,
            Instant notAfter,
            BigInteger serial,
            SslContext server,
            Map<Alpn, SslContext> clients,
            PeerVerifier verifier) {
        public Current {
            clients = Collections.unmodifiableMap(new EnumMap<>(clients));
        }

        /** The context that offers this protocol; look afterwards whether it was taken. */
        public SslContext client(Alpn alpn) {
            SslContext context = clients.get(alpn);
            if (context == null) {
                throw new IllegalStateException("no client context for " + alpn);
            }
            return context;
        }

        /**
         * The handler of a connection we open.
         *
         * @param expected who must be there: sessions of anyone else are not offered
         */
        public SslHandler dialling(Alpn alpn, ByteBufAllocator alloc, SpiffeId expected, InetSocketAddress address) {
            // A key of the session store, not a name: the slash keeps it from being sent as one (SNI).
            String key = "/" + expected.uri() + "@" + NetUtil.toAddressString(address.getAddress());
            return client(alpn).newHandler(alloc, key, address.getPort());
        }

        /** Who opened a connection whose handshake is done; empty if it showed nobody, or nobody who may be believed now. */
        public Optional<SpiffeId> caller(SslHandler handler) {
            return peer(handler, PeerVerifier.Purpose.CLIENT);
        }

        /** Who accepted a connection whose handshake is done; empty if it showed nobody, or nobody who may be believed now. */
        public Optional<SpiffeId> callee(SslHandler handler) {
            return peer(handler, PeerVerifier.Purpose.SERVER);
        }

        /** Whether a connection whose handshake is done went on with an earlier session. */
        public static boolean isResumed(SslHandler handler) {
            return SSL.isSessionReused(((ReferenceCountedOpenSslEngine) handler.engine()).sslPointer());
        }

        private Optional<SpiffeId> peer(SslHandler handler, PeerVerifier.Purpose purpose) {
            try {
                Certificate[] shown = handler.engine().getSession().getPeerCertificates();
                return Optional.of(
                        verifier.verify(Arrays.copyOf(shown, shown.length, X509Certificate[].class), purpose));
            } catch (SSLPeerUnverifiedException | CertificateException e) {
                return Optional.empty();
            }
        }
    }

    /**
     * Fails unless BoringSSL is there: a proxy that silently took another TLS engine would be slower and judged by other code.
     *
     * @throws IllegalStateException naming what is missing
     */
    public static void requireBoringSsl() {
        try {
            OpenSsl.ensureAvailability();
        } catch (UnsatisfiedLinkError e) {
            throw new IllegalStateException(
                    "BoringSSL cannot be loaded (%s): this build carries it for Linux on x86_64 and aarch64, unpacked under java.io.tmpdir, which must be writable"
                            .formatted(e.getMessage()),
                    e);
        }
        if (!SslProvider.isTlsv13Supported(SslProvider.OPENSSL_REFCNT)) {
            throw new IllegalStateException("the TLS library that was found cannot do TLS 1.3");
        }
    }

    /** The contexts in force; empty before the first certificate. */
    public Optional<Current> current() {
        return Optional.ofNullable(current);
    }

    /** Calls back, on the installing thread, after each swap. */
    public void onChange(Consumer<Current> listener) {
        listeners.add(listener);
    }

    /**
     * Makes contexts for a certificate and a bundle and swaps them in; on failure what was in force stays.
     *
     * @throws IllegalArgumentException if bundle or certificate cannot be used
     */
    public synchronized Current install(Svid svid, TrustBundle bundle) {
        PeerVerifier verifier = new PeerVerifier(bundle, clock);
        X509Certificate[] chain = svid.chain().toArray(X509Certificate[]::new);
        Current before = current;
        Current next;
        try {
            SslContext server = withoutStore(SslContextBuilder.forServer(svid.key(), chain)
                    .keyStoreType(KEY_STORE)
                    .sslProvider(SslProvider.OPENSSL_REFCNT)
                    .protocols("TLSv1.3")
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager(verifier)
                    .applicationProtocolConfig(protocols(List.of(Alpn.values())))
                    .build());
            Map<Alpn, SslContext> clients = new EnumMap<>(Alpn.class);
            for (Alpn alpn : Alpn.values()) {
                clients.put(alpn, client(svid, verifier, alpn));
            }
            next = new Current(
                    before == null ? 1 : before.generation() + 1,
                    svid.identity(),
                    svid.notAfter(),
                    svid.leaf().getSerialNumber(),
                    server,
                    clients,
                    verifier);
        } catch (SSLException e) {
            throw new IllegalArgumentException(
                    "the certificate of %s cannot be used: %s".formatted(svid.identity(), e.getMessage()), e);
        }
        current = next;
        if (before != null) {
            replaced.add(before);
        }
        while (replaced.size() > KEPT) {
            release(replaced.remove());
        }
        listeners.forEach(listener -> listener.accept(next));
        return next;
    }

    /**
     * A context for the first call to the controller: verifies it, shows nothing, offers HTTP/2. The caller releases it.
     *
     * @throws IllegalArgumentException if the bundle cannot be used
     */
    static SslContext withoutCertificate(TrustBundle bundle, Clock clock) {
        try {
            return withoutStore(SslContextBuilder.forClient()
                    .sslProvider(SslProvider.OPENSSL_REFCNT)
                    .protocols("TLSv1.3")
                    .trustManager(new PeerVerifier(bundle, clock))
                    .endpointIdentificationAlgorithm(null)
                    .applicationProtocolConfig(protocols(List.of(Alpn.H2)))
                    .build());
        } catch (SSLException e) {
            throw new IllegalArgumentException("no TLS context can be made: " + e.getMessage(), e);
        }
    }

    private SslContext client(Svid svid, PeerVerifier verifier, Alpn alpn) throws SSLException {
        SslContext context = SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols("TLSv1.3")
                .keyManager(svid.key(), svid.chain().toArray(X509Certificate[]::new))
                .keyStoreType(KEY_STORE)
                .trustManager(verifier)
                // Names come from the SPIFFE ID alone, never from the address that was dialled.
                .endpointIdentificationAlgorithm(null)
                .applicationProtocolConfig(protocols(offeredFor(alpn)))
                .build();
        OpenSslSessionContext sessions = (OpenSslSessionContext) context.sessionContext();
        sessions.setSessionCacheSize(limits.maxSessions());
        sessions.setSessionTimeout((int) limits.sessionTimeout().toSeconds());
        sessions.setSessionCacheEnabled(true);
        return context;
    }

    /**
     * What a client that wants this protocol offers. {@link Alpn#TULLE_TCP} is always among it, last: by that name a proxy tells our
     * own TLS from that of an application, which offers the common names too. A server of ours takes what stands first; one that does
     * not know how to share connections takes HTTP/1.1.
     */
    private static List<Alpn> offeredFor(Alpn alpn) {
        return switch (alpn) {
            case TULLE_TCP -> List.of(alpn);
            case TULLE_HTTP1 -> List.of(alpn, Alpn.HTTP_1_1, Alpn.TULLE_TCP);
            case H2, HTTP_1_1 -> List.of(alpn, Alpn.TULLE_TCP);
        };
    }

    /** A server needs none: what it must know later is sealed in the ticket. A client without one never resumes. */
    private static SslContext withoutStore(SslContext context) {
        ((OpenSslSessionContext) context.sessionContext()).setSessionCacheEnabled(false);
        return context;
    }

    private static ApplicationProtocolConfig protocols(List<Alpn> offered) {
        return new ApplicationProtocolConfig(
                Protocol.ALPN,
                SelectorFailureBehavior.NO_ADVERTISE,
                SelectedListenerFailureBehavior.ACCEPT,
                offered.stream().map(Alpn::wireName).toList());
    }

    /** Lets go of every set; nobody may ask for one any more. Open connections are not touched. */
    public synchronized void close() {
        Current last = current;
        current = null;
        if (last != null) {
            release(last);
        }
        while (!replaced.isEmpty()) {
            release(replaced.remove());
        }
    }

    private static void release(Current old) {
        // Engines hold on to their context, so open connections are not touched.
        ReferenceCountUtil.release(old.server());
        old.clients().values().forEach(ReferenceCountUtil::release);
    }
}
