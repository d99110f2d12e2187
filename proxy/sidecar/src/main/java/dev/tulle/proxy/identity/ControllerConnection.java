package dev.tulle.proxy.identity;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.SpiffeId;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2PingFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrame;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the controller: HTTP/2 over TLS, the controller's identity checked before a byte of ours is sent.
 *
 * <p>It watches over itself with pings and closes when one is not answered in time. Everything happens on one event loop.
 */
public final class ControllerConnection {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration PING_INTERVAL = Duration.ofSeconds(10);
    private static final int MAX_HEADER_BYTES = 16 * 1024;
    private static final int STREAM_WINDOW_BYTES = 1024 * 1024;

    private final Channel channel;
    private final HostPort address;

    private ControllerConnection(Channel channel, HostPort address) {
        this.channel = channel;
        this.address = address;
    }

    /**
     * An answer of the controller.
     *
     * @param status HTTP status
     * @param body as text
     */
    public record Answer(int status, String body) {
        /** The sentence of a refusal: the value of {@code error}, or the start of the body where it has none. */
        public String refusal() {
            return Refusals.sentence(status, body);
        }
    }

    /** TLS came to nothing: one side does not believe the other, or it is not the controller. */
    public static final class TlsFailure extends IOException {
        TlsFailure(String problem, @Nullable Throwable cause) {
            super(problem, cause);
        }
    }

    /** Whom the controller of a trust domain must prove to be. */
    public static SpiffeId identityIn(String trustDomain) {
        return new SpiffeId(trustDomain, "tulle-system", "tulle-controller");
    }

    /**
     * Dials the controller.
     *
     * @param client offers HTTP/2 and verifies the peer's chain
     * @param expected whom the controller must prove to be
     * @return fails with an {@link IOException} whose text tells an operator what is wrong
     */
    public static Future<ControllerConnection> open(
            EventLoop loop, Transport transport, HostPort address, SslContext client, SpiffeId expected) {
        Promise<ControllerConnection> opened = loop.newPromise();
        // Name look-up blocks, so it must not be done on the loop.
        Thread.ofVirtual().name("controller-name").start(() -> {
            try {
                InetAddress host = InetAddress.getByName(address.host());
                loop.execute(() -> dial(
                        loop,
                        transport,
                        new InetSocketAddress(host, address.port()),
                        address,
                        client,
                        expected,
                        opened));
            } catch (UnknownHostException e) {
                opened.tryFailure(
                        new IOException("the name of the controller %s cannot be resolved".formatted(address), e));
            }
        });
        return opened;
    }

    /** Sends one request and gives its whole answer, of at most {@code maxBytes}. */
    public Future<Answer> post(String path, Optional<String> bearer, String body, int maxBytes, Duration timeout) {
        Promise<Answer> answered = channel.eventLoop().newPromise();
        openStream(new AnswerReader(answered, maxBytes)).addListener((Future<Channel> opened) -> {
            if (!opened.isSuccess()) {
                answered.tryFailure(
                        new IOException("the controller %s closed the connection".formatted(address), opened.cause()));
                return;
            }
            Channel stream = opened.getNow();
            Http2Headers headers = requestHeaders(path).set("content-type", "application/x-pem-file");
            bearer.ifPresent(token -> headers.set("authorization", "Bearer " + token));
            stream.write(new DefaultHttp2HeadersFrame(headers, false));
            stream.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8), true));
            Future<?> tooLate = stream.eventLoop()
                    .schedule(
                            () -> {
                                answered.tryFailure(new IOException("the controller %s did not answer in %d s"
                                        .formatted(address, timeout.toSeconds())));
                                stream.close();
                            },
                            timeout.toMillis(),
                            TimeUnit.MILLISECONDS);
            answered.addListener(done -> tooLate.cancel(false));
        });
        return answered;
    }

    /** Opens a stream on which the handler sees HTTP/2 frames; the caller writes the request. */
    public Future<Channel> openStream(ChannelHandler handler) {
        Promise<Channel> opened = channel.eventLoop().newPromise();
        new Http2StreamChannelBootstrap(channel).handler(handler).open().addListener(stream -> {
            if (stream.isSuccess()) {
                opened.trySuccess((Channel) stream.getNow());
            } else {
                opened.tryFailure(stream.cause());
            }
        });
        return opened;
    }

    /** Headers of a POST to the controller. */
    public Http2Headers requestHeaders(String path) {
        return new DefaultHttp2Headers()
                .method("POST")
                .scheme("https")
                .authority(address.toString())
                .path(path);
    }

    /** Calls back once it is closed. */
    public void whenClosed(Runnable after) {
        channel.closeFuture().addListener(closed -> after.run());
    }

    public void close() {
        channel.close();
    }

    private static void dial(
            EventLoop loop,
            Transport transport,
            InetSocketAddress socket,
            HostPort address,
            SslContext client,
            SpiffeId expected,
            Promise<ControllerConnection> opened) {
        new Bootstrap()
                .group(loop)
                .channel(transport.client())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis())
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        SslHandler tls = client.newHandler(channel.alloc());
                        tls.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT.toMillis());
                        channel.pipeline()
                                .addLast("tls", tls)
                                .addLast("secure-naming", new SecureNaming(address, expected, opened));
                    }
                })
                .connect(socket)
                .addListener((ChannelFutureListener) connected -> {
                    if (!connected.isSuccess()) {
                        opened.tryFailure(new IOException(
                                "the controller %s cannot be reached: %s"
                                        .formatted(address, connected.cause().getMessage()),
                                connected.cause()));
                    }
                });
    }

    /** Goes on to HTTP/2 only when the other side is the controller we were told of. */
    private static final class SecureNaming extends ChannelInboundHandlerAdapter {
        private final HostPort address;
        private final SpiffeId expected;
        private final Promise<ControllerConnection> opened;

        SecureNaming(HostPort address, SpiffeId expected, Promise<ControllerConnection> opened) {
            this.address = address;
            this.expected = expected;
            this.opened = opened;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
                ctx.fireUserEventTriggered(event);
                return;
            }
            if (!handshake.isSuccess()) {
                fail(
                        ctx,
                        "TLS with the controller %s failed: %s".formatted(address, reason(handshake.cause())),
                        handshake.cause());
                return;
            }
            SslHandler tls = ctx.pipeline().get(SslHandler.class);
            Optional<SpiffeId> peer = PeerIdentity.of(tls);
            if (!peer.equals(Optional.of(expected))) {
                fail(
                        ctx,
                        "%s is not the controller: it proves to be %s, not %s"
                                .formatted(address, peer.map(SpiffeId::uri).orElse("nobody"), expected),
                        null);
                return;
            }
            if (!Alpn.H2.wireName().equals(tls.applicationProtocol())) {
                fail(ctx, "the controller %s does not speak HTTP/2".formatted(address), null);
                return;
            }
            ctx.pipeline()
                    .addLast(
                            "http2",
                            Http2FrameCodecBuilder.forClient()
                                    // Who closes it has no more to hear: nothing to wait for.
                                    .gracefulShutdownTimeoutMillis(0)
                                    .initialSettings(Http2Settings.defaultSettings()
                                            .pushEnabled(false)
                                            .initialWindowSize(STREAM_WINDOW_BYTES)
                                            .maxHeaderListSize(MAX_HEADER_BYTES))
                                    .build())
                    .addLast("streams", new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()))
                    .addLast("alive", new Alive())
                    .remove(this);
            opened.trySuccess(new ControllerConnection(ctx.channel(), address));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            opened.tryFailure(new IOException("the controller %s closed the connection during TLS".formatted(address)));
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(ctx, "TLS with the controller %s failed: %s".formatted(address, reason(cause)), cause);
        }

        private void fail(ChannelHandlerContext ctx, String problem, @Nullable Throwable cause) {
            opened.tryFailure(new TlsFailure(problem, cause));
            ctx.close();
        }

        /** What the verifier said, if it was the verifier; else the innermost cause. */
        private static String reason(Throwable cause) {
            Throwable at = cause;
            while (!(at instanceof CertificateException) && at.getCause() != null) {
                at = at.getCause();
            }
            return String.valueOf(at.getMessage());
        }
    }

    /** Pings, and closes when the last ping was not answered by the time of the next. */
    private static final class Alive extends ChannelInboundHandlerAdapter {
        private boolean awaiting;
        private @Nullable Future<?> timer;

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            timer = ctx.executor()
                    .scheduleAtFixedRate(
                            () -> {
                                if (awaiting) {
                                    ctx.close();
                                } else {
                                    awaiting = true;
                                    ctx.writeAndFlush(new DefaultHttp2PingFrame(1));
                                }
                            },
                            PING_INTERVAL.toMillis(),
                            PING_INTERVAL.toMillis(),
                            TimeUnit.MILLISECONDS);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof Http2PingFrame ping && ping.ack()) {
                awaiting = false;
            }
            ReferenceCountUtil.release(message);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (timer != null) {
                timer.cancel(false);
            }
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    /** Gathers one whole answer. */
    private static final class AnswerReader extends SimpleChannelInboundHandler<Http2StreamFrame> {
        private final Promise<Answer> answered;
        private final int maxBytes;
        private final ByteBuf body = Unpooled.buffer(1024);
        private int status;

        AnswerReader(Promise<Answer> answered, int maxBytes) {
            this.answered = answered;
            this.maxBytes = maxBytes;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, Http2StreamFrame frame) {
            boolean end = false;
            if (frame instanceof Http2HeadersFrame head) {
                status = status == 0 ? statusOf(head.headers()) : status;
                end = head.isEndStream();
            } else if (frame instanceof Http2DataFrame data) {
                if (body.readableBytes() + data.content().readableBytes() > maxBytes) {
                    answered.tryFailure(
                            new IOException("the controller's answer is longer than %d bytes".formatted(maxBytes)));
                    ctx.close();
                    return;
                }
                body.writeBytes(data.content());
                end = data.isEndStream();
            } else if (frame instanceof Http2ResetFrame reset) {
                answered.tryFailure(
                        new IOException("the controller reset the request, HTTP/2 error " + reset.errorCode()));
            }
            if (end) {
                answered.trySuccess(new Answer(status, body.toString(StandardCharsets.UTF_8)));
                ctx.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            answered.tryFailure(new IOException("the controller closed the connection before it answered"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            answered.tryFailure(cause);
            ctx.close();
        }
    }

    /** The status of a head; 0 when it is none. */
    public static int statusOf(Http2Headers headers) {
        CharSequence status = headers.status();
        try {
            return status == null ? 0 : Integer.parseInt(status.toString());
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
