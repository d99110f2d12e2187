package dev.tulle.proxy.identity;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.Enrollment;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.JoinTokenPayload;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.jspecify.annotations.Nullable;

/** A controller made for tests: enrols, renews, and holds streams on which the test speaks. */
public final class FakeController implements AutoCloseable {
    /** What came in on a stream. */
    public record Heard(int stream, ToController message) {}

    private final EventLoopGroup loops;
    private final Channel listener;
    private final List<Channel> streams = new CopyOnWriteArrayList<>();
    private final List<Channel> connections = new CopyOnWriteArrayList<>();
    private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
    private final AtomicInteger streamCount = new AtomicInteger();
    public final AtomicInteger enrollments = new AtomicInteger();
    /** What came with enrolments by a token of the platform. */
    public final List<String> bearers = new CopyOnWriteArrayList<>();

    public final AtomicInteger renewals = new AtomicInteger();
    public final List<SpiffeId> renewedBy = new CopyOnWriteArrayList<>();
    private volatile TestAuthority signer;
    private volatile TrustBundle trust;
    private volatile Duration leafLife = Duration.ofHours(24);
    private volatile @Nullable Refusal refusal;
    private volatile @Nullable WorkloadId enrollsAs;
    private volatile String serviceAccount = "web";

    private record Refusal(int status, String body) {}

    public FakeController(TestAuthority authority) {
        this(authority, authority.svid("tulle-system", "tulle-controller"), 0);
    }

    /** With a certificate of its own, and on a port (0 picks one). */
    public FakeController(TestAuthority authority, Svid own, int port) {
        this.signer = authority;
        this.trust = authority.trust();
        Transport transport = Transport.best();
        this.loops = new MultiThreadIoEventLoopGroup(1, transport.ioHandlers());
        SslContext tls = serverContext(own, authority.trust());
        this.listener = new ServerBootstrap()
                .group(loops)
                .channel(transport.server())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        connections.add(channel);
                        channel.pipeline()
                                .addLast(tls.newHandler(channel.alloc()))
                                .addLast(Http2FrameCodecBuilder.forServer().build())
                                .addLast(new Http2MultiplexHandler(new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel stream) {
                                        stream.pipeline().addLast(new Exchange());
                                    }
                                }));
                    }
                })
                .bind("127.0.0.1", port)
                .syncUninterruptibly()
                .channel();
    }

    public HostPort address() {
        return new HostPort("127.0.0.1", ((InetSocketAddress) listener.localAddress()).getPort());
    }

    /** A join token for a workload; the signature is of no matter here. */
    public String token(WorkloadId workload, Instant expires) {
        return token(workload, expires, trust);
    }

    public static String token(WorkloadId workload, Instant expires, TrustBundle trust) {
        return JoinToken.line(
                JoinToken.textToSign(new JoinTokenPayload(workload, expires, trust)), new byte[] {1, 2, 3});
    }

    public void leafLife(Duration life) {
        leafLife = life;
    }

    /** Signs with another authority from now on; who trusts it is told by {@link #trust}. */
    public void signWith(TestAuthority authority) {
        signer = authority;
    }

    public void trust(TrustBundle bundle) {
        trust = bundle;
    }

    /** Answers every exchange like this from now on; 0 ends that. */
    public void refuse(int status, String body) {
        refusal = status == 0 ? null : new Refusal(status, body);
    }

    /** Gives certificates of this service account from now on, and refuses streams of any other. */
    public void serviceAccount(String name) {
        serviceAccount = name;
    }

    /** Claims to have enrolled another workload than the one that asked. */
    public void enrollAs(WorkloadId other) {
        enrollsAs = other;
    }

    /** The next message, within ten seconds. */
    public Heard next() throws InterruptedException {
        Heard one = heard.poll(10, TimeUnit.SECONDS);
        if (one == null) {
            throw new AssertionError("nothing came on any stream in ten seconds");
        }
        return one;
    }

    /** The next message of a kind; others before it are dropped. */
    public <T extends ToController> T next(Class<T> kind) throws InterruptedException {
        while (true) {
            ToController message = next().message();
            if (kind.isInstance(message)) {
                return kind.cast(message);
            }
        }
    }

    /** Streams that are open now. */
    public int openStreams() {
        return streams.size();
    }

    /** Streams that were ever opened. */
    public int streamsSeen() {
        return streamCount.get();
    }

    /** Sends a message on every open stream. */
    public void send(ToProxy message) {
        sendLine(ProxyCodec.encode(message));
    }

    public void sendLine(String line) {
        for (Channel stream : streams) {
            stream.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.copiedBuffer(line + "\n", StandardCharsets.UTF_8)));
        }
    }

    /** Cuts every connection, without a word. */
    public void cut() {
        for (Channel connection : connections) {
            connection
                    .eventLoop()
                    .submit(() -> connection.unsafe().closeForcibly())
                    .syncUninterruptibly();
        }
        connections.clear();
    }

    @Override
    public void close() {
        if (loops.isShuttingDown()) {
            return;
        }
        listener.close().syncUninterruptibly();
        cut();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static SslContext serverContext(Svid own, TrustBundle trust) {
        try {
            return SslContextBuilder.forServer(own.key(), own.chain().toArray(X509Certificate[]::new))
                    .sslProvider(SslProvider.OPENSSL_REFCNT)
                    .protocols("TLSv1.3")
                    .clientAuth(ClientAuth.OPTIONAL)
                    .trustManager(new PeerVerifier(trust, Clock.systemUTC()))
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            "h2"))
                    .build();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** One request and its answer. */
    private final class Exchange extends ChannelInboundHandlerAdapter {
        private final StringBuilder body = new StringBuilder();
        private String path = "";
        private String authorization = "";
        private int stream;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            try {
                boolean end = false;
                if (frame instanceof Http2HeadersFrame head) {
                    path = String.valueOf(head.headers().path());
                    CharSequence given = head.headers().get("authorization");
                    authorization = given == null ? "" : given.toString();
                    end = head.isEndStream();
                    if (path.equals("/v1/stream")
                            && !caller(ctx).serviceAccount().equals(serviceAccount)) {
                        answer(ctx, 403, "{\"error\":\"the workload is now of another service account\"}");
                        return;
                    }
                    if (path.equals("/v1/stream") && refusal == null) {
                        stream = streamCount.incrementAndGet();
                        streams.add(ctx.channel());
                        ctx.channel().closeFuture().addListener(closed -> streams.remove(ctx.channel()));
                        ctx.writeAndFlush(new DefaultHttp2HeadersFrame(new DefaultHttp2Headers().status("200")));
                        return;
                    }
                } else if (frame instanceof Http2DataFrame data) {
                    body.append(data.content().toString(StandardCharsets.UTF_8));
                    end = data.isEndStream();
                    if (stream > 0) {
                        lines();
                        return;
                    }
                }
                Refusal refused = refusal;
                if (refused != null && (end || path.equals("/v1/stream"))) {
                    answer(ctx, refused.status(), refused.body());
                } else if (end) {
                    enroll(ctx);
                }
            } catch (Exception e) {
                answer(ctx, 500, String.valueOf(e));
            } finally {
                ReferenceCountUtil.release(frame);
            }
        }

        private SpiffeId caller(ChannelHandlerContext ctx) {
            return PeerIdentity.of(ctx.channel().parent().pipeline().get(SslHandler.class))
                    .orElseThrow();
        }

        private void lines() throws MalformedMessage {
            int end = body.indexOf("\n");
            while (end >= 0) {
                Optional<ToController> message = ProxyCodec.decodeToController(body.substring(0, end));
                message.ifPresent(m -> heard.add(new Heard(stream, m)));
                body.delete(0, end + 1);
                end = body.indexOf("\n");
            }
        }

        private void enroll(ChannelHandlerContext ctx) throws Exception {
            WorkloadId workload;
            SpiffeId identity;
            if (path.startsWith("/v1/enroll?workload=")) {
                bearers.add(authorization);
                workload = WorkloadId.parse(
                        URLDecoder.decode(path.substring(path.indexOf('=') + 1), StandardCharsets.UTF_8));
                identity = new SpiffeId(TestAuthority.TRUST_DOMAIN, workload.namespace(), serviceAccount);
                enrollments.incrementAndGet();
            } else if (path.equals("/v1/enroll")) {
                workload = JoinToken.parse(authorization.substring("Bearer ".length()))
                        .payload()
                        .workload();
                identity = new SpiffeId(TestAuthority.TRUST_DOMAIN, workload.namespace(), serviceAccount);
                enrollments.incrementAndGet();
            } else {
                identity = caller(ctx);
                workload = WorkloadId.parse(
                        URLDecoder.decode(path.substring(path.indexOf('=') + 1), StandardCharsets.UTF_8));
                renewedBy.add(identity);
                renewals.incrementAndGet();
            }
            PKCS10CertificationRequest request = new PKCS10CertificationRequest(Base64.getMimeDecoder()
                    .decode(Pem.blocks(body.toString(), "CERTIFICATE REQUEST").getFirst()));
            Instant now = Instant.now();
            X509Certificate leaf = signer.leaf()
                    .uri(identity.uri())
                    .valid(now.minusSeconds(1), now.plus(leafLife))
                    .sign(new JcaPEMKeyConverter().getPublicKey(request.getSubjectPublicKeyInfo()));
            WorkloadId claimed = enrollsAs == null ? workload : enrollsAs;
            answer(
                    ctx,
                    200,
                    ProxyCodec.encode(new Enrollment(
                            claimed, identity, Certificates.pem(List.of(leaf, signer.issuer())), trust)));
        }

        private void answer(ChannelHandlerContext ctx, int status, String text) {
            Http2Headers headers = new DefaultHttp2Headers().status(String.valueOf(status));
            ctx.write(new DefaultHttp2HeadersFrame(headers));
            ctx.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8), true));
        }
    }
}
