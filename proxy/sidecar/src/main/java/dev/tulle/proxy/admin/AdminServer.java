package dev.tulle.proxy.admin;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The proxy's own HTTP/1.1 server, one request a connection.
 *
 * <p>On any address: {@code GET /livez /readyz /metrics}, and {@code /app-health/} where the injector has turned probes to it. On loopback also {@code GET /config} and {@code POST /shutdown}, which asks
 * for {@code Authorization: Bearer <token>}; there the Host must be a loopback name, so that no web page can reach it by a name of its
 * own. Bounded in connections, bytes and time. Lives on the control loop.
 */
public final class AdminServer {
    private static final int MAX_CONNECTIONS = 64;
    private static final int MAX_REQUEST_BYTES = 8 * 1024;
    private static final int MAX_BODY_BYTES = 1024;
    private static final long REQUEST_TIMEOUT_SECONDS = 10;
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

    private final EventLoop loop;
    private final Transport transport;
    private final HostPort address;
    private final boolean local;
    private final Content content;
    private final AppQuestion.Tls appTls = new AppQuestion.Tls();
    private int connections;

    /**
     * What is served.
     *
     * @param readiness for {@code /readyz}
     * @param metrics Prometheus text
     * @param config JSON of the config in force
     * @param serverNames JSON of what applications ask for in TLS of their own
     * @param appHealth what {@code GET /app-health/<name>} asks of the application
     * @param shutdownToken absent refuses {@code /shutdown}
     * @param shutdown starts the drain; returns at once
     */
    public record Content(
            Readiness readiness,
            Supplier<String> metrics,
            Supplier<String> config,
            Supplier<String> serverNames,
            AppHealth appHealth,
            Optional<String> shutdownToken,
            Runnable shutdown) {
        /** Never the token. */
        @Override
        public String toString() {
            return "Content";
        }
    }

    /** @param local whether it serves what is for this machine only; {@code address} must be loopback then */
    public AdminServer(EventLoop loop, Transport transport, HostPort address, boolean local, Content content) {
        this.loop = loop;
        this.transport = transport;
        this.address = address;
        this.local = local;
        this.content = content;
    }

    /** Binds; gives the address that was bound, or fails with an IOException that names it and the flag to change. */
    public Future<HostPort> start() {
        Promise<HostPort> started = loop.newPromise();
        new ServerBootstrap()
                .group(loop)
                .channel(transport.server())
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, MAX_CONNECTIONS)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(address.host(), address.port())
                .addListener((ChannelFutureListener) bound -> {
                    if (bound.isSuccess()) {
                        InetSocketAddress where =
                                (InetSocketAddress) bound.channel().localAddress();
                        started.trySuccess(new HostPort(address.host(), where.getPort()));
                    } else {
                        started.tryFailure(new IOException(
                                "cannot listen on %s (%s): free the port, or choose another with %s"
                                        .formatted(
                                                address,
                                                bound.cause().getMessage(),
                                                local ? "--admin-local" : "--admin"),
                                bound.cause()));
                    }
                });
        return started;
    }

    private void accept(SocketChannel channel) {
        if (connections >= MAX_CONNECTIONS) {
            channel.close();
            return;
        }
        connections++;
        channel.closeFuture().addListener(closed -> connections--);
        Future<?> tooSlow = loop.schedule(() -> channel.close(), REQUEST_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        channel.closeFuture().addListener(closed -> tooSlow.cancel(false));
        channel.pipeline()
                .addLast("http", new HttpServerCodec(4096, MAX_REQUEST_BYTES, MAX_REQUEST_BYTES))
                .addLast("whole", new HttpObjectAggregator(MAX_BODY_BYTES, true))
                .addLast("answer", new Answering(tooSlow));
    }

    /** An answer: status, media type, body. */
    private record Reply(HttpResponseStatus status, String type, String body) {
        static Reply text(HttpResponseStatus status, String body) {
            return new Reply(status, "text/plain; charset=utf-8", body + "\n");
        }
    }

    private Reply reply(FullHttpRequest request) {
        if (!request.decoderResult().isSuccess()) {
            return Reply.text(HttpResponseStatus.BAD_REQUEST, "not a request this server understands");
        }
        if (local && !isLoopbackName(request)) {
            return Reply.text(
                    HttpResponseStatus.MISDIRECTED_REQUEST,
                    "this server answers to localhost, 127.0.0.1 and [::1] only");
        }
        String path = pathOf(request.uri());
        if (path.equals("/shutdown") && local) {
            return shutdown(request);
        }
        List<String> known = local
                ? List.of("/livez", "/readyz", "/metrics", "/config", "/server-names")
                : List.of("/livez", "/readyz", "/metrics");
        if (!known.contains(path)) {
            return Reply.text(
                    HttpResponseStatus.NOT_FOUND, "there is nothing here; there is: " + String.join(" ", known));
        }
        if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            return Reply.text(HttpResponseStatus.METHOD_NOT_ALLOWED, path + " is for GET");
        }
        return switch (path) {
            case "/livez" -> Reply.text(HttpResponseStatus.OK, "alive");
            case "/readyz" -> {
                List<String> missing = content.readiness().whatIsMissing();
                yield missing.isEmpty()
                        ? Reply.text(HttpResponseStatus.OK, "ready")
                        : Reply.text(HttpResponseStatus.SERVICE_UNAVAILABLE, String.join("\n", missing));
            }
            case "/metrics" ->
                new Reply(
                        HttpResponseStatus.OK,
                        "text/plain; version=0.0.4; charset=utf-8",
                        content.metrics().get());
            case "/server-names" -> json(content.serverNames().get());
            default -> json(content.config().get());
        };
    }

    private static Reply json(String text) {
        return new Reply(HttpResponseStatus.OK, "application/json", text + "\n");
    }

    private Reply shutdown(FullHttpRequest request) {
        if (!request.method().equals(HttpMethod.POST)) {
            return Reply.text(HttpResponseStatus.METHOD_NOT_ALLOWED, "/shutdown is for POST");
        }
        if (content.shutdownToken().isEmpty()) {
            return Reply.text(
                    HttpResponseStatus.FORBIDDEN,
                    "this proxy was started without --admin-token-file: stop it by SIGTERM");
        }
        List<String> given = request.headers().getAll(HttpHeaderNames.AUTHORIZATION);
        byte[] wanted = ("Bearer " + content.shutdownToken().get()).getBytes(StandardCharsets.UTF_8);
        if (given.size() != 1 || !MessageDigest.isEqual(wanted, given.getFirst().getBytes(StandardCharsets.UTF_8))) {
            return Reply.text(
                    HttpResponseStatus.UNAUTHORIZED,
                    "give the token of --admin-token-file as 'Authorization: Bearer …'");
        }
        content.shutdown().run();
        return Reply.text(HttpResponseStatus.ACCEPTED, "draining");
    }

    private static boolean isLoopbackName(FullHttpRequest request) {
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (hosts.size() != 1) {
            return false;
        }
        String host = hosts.getFirst().toLowerCase(Locale.ROOT);
        int colon = host.lastIndexOf(':');
        String name = colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
        return LOOPBACK_NAMES.contains(name);
    }

    private static String pathOf(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    /** The question that a request asks the proxy to pass on; empty for all else. */
    private Optional<AppHealth.Question> question(FullHttpRequest request) {
        String path = pathOf(request.uri());
        boolean asks = request.decoderResult().isSuccess()
                && path.startsWith(AppHealth.PATH)
                && request.method().equals(HttpMethod.GET)
                && (!local || isLoopbackName(request));
        return asks
                ? Optional.ofNullable(content.appHealth().questions().get(path.substring(AppHealth.PATH.length())))
                : Optional.empty();
    }

    private final class Answering extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Future<?> tooSlow;
        private boolean answered;

        /** @param tooSlow closes the connection unless it is cancelled in time */
        Answering(Future<?> tooSlow) {
            this.tooSlow = tooSlow;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
            if (answered) {
                return;
            }
            answered = true;
            Optional<AppHealth.Question> question = question(request);
            if (question.isPresent() && ctx.channel().localAddress() instanceof InetSocketAddress here) {
                tooSlow.cancel(false);
                // Where the kubelet would have asked: an application that listens on loopback alone is not well for
                // others.
                AppQuestion asked = AppQuestion.ask(
                        loop,
                        transport,
                        question.get(),
                        here.getAddress(),
                        appTls,
                        problem -> answer(
                                ctx,
                                false,
                                problem.isEmpty()
                                        ? Reply.text(HttpResponseStatus.OK, "well")
                                        : Reply.text(HttpResponseStatus.SERVICE_UNAVAILABLE, problem)));
                // As many questions as connections at most: one that nobody waits for is not asked on.
                ctx.channel().closeFuture().addListener(gone -> asked.giveUp());
            } else {
                answer(ctx, request.method().equals(HttpMethod.HEAD), reply(request));
            }
        }

        private void answer(ChannelHandlerContext ctx, boolean headOnly, Reply reply) {
            ByteBuf body = ByteBufUtil.writeUtf8(ctx.alloc(), reply.body());
            int length = body.readableBytes();
            if (headOnly) {
                body.clear();
            }
            FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, reply.status(), body);
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, reply.type())
                    .set(HttpHeaderNames.CONTENT_LENGTH, length)
                    .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                    .set("x-content-type-options", "nosniff")
                    .set(HttpHeaderNames.CONNECTION, "close");
            ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    /** For tests and logs: where it listens. */
    @Override
    public String toString() {
        return "AdminServer[" + address + "]";
    }
}
