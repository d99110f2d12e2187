package dev.tulle.proxy.admin;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.WorkloadConfig.HealthCheck;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.Future;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks after the application as its workload asks: a TCP connect or an HTTP GET, again and again.
 *
 * <p>Well after one good look. Unwell at once when nobody listens, else after {@link #FAILURES} bad looks in a row, so that one slow
 * answer moves no traffic. Without a check it is well. Everything happens on the control loop.
 */
public final class ApplicationHealth {
    /** Bad looks in a row that make an application unwell. */
    static final int FAILURES = 2;

    private static final long MIN_TIMEOUT_MILLIS = 500;
    private static final long MAX_TIMEOUT_MILLIS = 5000;

    private final EventLoop loop;
    private final Transport transport;
    private final Watcher watcher;
    private Optional<HealthCheck> check = Optional.empty();
    private @Nullable Look look;
    private int failures;
    private Optional<Boolean> told = Optional.empty();

    /** Who is told; only of changes, and of the first finding. */
    public interface Watcher {
        void found(boolean well, String detail);
    }

    public ApplicationHealth(EventLoop loop, Transport transport, Watcher watcher) {
        this.loop = loop;
        this.transport = transport;
        this.watcher = watcher;
    }

    /** Looks like this from now on. On the control loop. */
    public void check(Optional<HealthCheck> wanted) {
        if (wanted.equals(check) && told.isPresent()) {
            return;
        }
        check = wanted;
        stop();
        failures = FAILURES;
        if (wanted.isEmpty()) {
            tell(true, "");
        } else {
            begin(wanted.get());
        }
    }

    /** Looks no more. On the control loop. */
    public void stop() {
        if (look != null) {
            look.abandon();
            look = null;
        }
    }

    private void begin(HealthCheck wanted) {
        Look next = new Look(wanted);
        look = next;
        next.start();
    }

    private void ended(Look ended, boolean well, boolean refused, String detail) {
        if (look != ended) {
            return;
        }
        if (well) {
            failures = 0;
            tell(true, "");
        } else {
            failures++;
            if (refused || failures >= FAILURES) {
                tell(false, detail);
            }
        }
        loop.schedule(
                () -> {
                    if (look == ended) {
                        begin(ended.check);
                    }
                },
                ended.check.intervalMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void tell(boolean well, String detail) {
        if (!told.equals(Optional.of(well))) {
            told = Optional.of(well);
            watcher.found(well, detail);
        }
    }

    /** One look. */
    private final class Look {
        private final HealthCheck check;
        private @Nullable Channel channel;
        private @Nullable Future<?> tooLate;
        private boolean over;

        Look(HealthCheck check) {
            this.check = check;
        }

        void start() {
            long timeout = Math.clamp(check.intervalMillis(), MIN_TIMEOUT_MILLIS, MAX_TIMEOUT_MILLIS);
            tooLate = loop.schedule(
                    () -> end(false, false, "no answer from %s in %d ms".formatted(check.address(), timeout)),
                    timeout,
                    TimeUnit.MILLISECONDS);
            new Bootstrap()
                    .group(loop)
                    .channel(transport.client())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout)
                    .handler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel opened) {
                            channel = opened;
                            if (!check.path().isEmpty()) {
                                opened.pipeline()
                                        .addLast("http", new HttpClientCodec())
                                        .addLast("status", new Status());
                            }
                        }
                    })
                    .connect(InetSocketAddress.createUnresolved(
                            check.address().host(), check.address().port()))
                    .addListener((ChannelFutureListener) connected -> {
                        if (!connected.isSuccess()) {
                            end(
                                    false,
                                    connected.cause() instanceof ConnectException,
                                    "%s: %s"
                                            .formatted(
                                                    check.address(),
                                                    connected.cause().getMessage()));
                        } else if (check.path().isEmpty()) {
                            end(true, false, "");
                        } else {
                            DefaultFullHttpRequest request =
                                    new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, check.path());
                            request.headers()
                                    .set(HttpHeaderNames.HOST, check.address().toString())
                                    .set(HttpHeaderNames.USER_AGENT, "tulle-health")
                                    .set(HttpHeaderNames.CONNECTION, "close");
                            connected.channel().writeAndFlush(request);
                        }
                    });
        }

        void abandon() {
            over = true;
            release();
        }

        private void end(boolean well, boolean refused, String detail) {
            if (!over) {
                over = true;
                release();
                ended(this, well, refused, detail);
            }
        }

        private void release() {
            if (tooLate != null) {
                tooLate.cancel(false);
            }
            if (channel != null) {
                channel.close();
            }
        }

        private final class Status extends SimpleChannelInboundHandler<HttpObject> {
            @Override
            protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
                if (message instanceof HttpResponse answer) {
                    int status = answer.status().code();
                    boolean well = answer.decoderResult().isSuccess() && status >= 200 && status < 400;
                    end(well, false, "GET %s%s answers %d".formatted(check.address(), check.path(), status));
                }
            }

            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                end(false, false, "%s closed the connection without an answer".formatted(check.address()));
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                end(false, false, "%s: %s".formatted(check.address(), cause.getMessage()));
            }
        }
    }
}
