package dev.tulle.proxy.admin;

import dev.tulle.proxy.bootstrap.Transport;
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
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** One question to the application, from connect to answer. On the control loop. */
final class AppQuestion {
    private static final int MAX_HEAD_BYTES = 32 * 1024;

    private final EventLoop loop;
    private final Transport transport;
    private final AppHealth.Question question;
    private final InetSocketAddress address;
    private final Tls tls;
    private final Consumer<String> done;
    private boolean over;
    private @Nullable Channel channel;

    private AppQuestion(
            EventLoop loop,
            Transport transport,
            AppHealth.Question question,
            InetAddress host,
            Tls tls,
            Consumer<String> done) {
        this.loop = loop;
        this.transport = transport;
        this.question = question;
        this.address = new InetSocketAddress(host, question.port());
        this.tls = tls;
        this.done = done;
    }

    /** How an HTTPS probe is spoken, made at the first one and kept: to make it costs more than a probe. */
    static final class Tls {
        private @Nullable SslContext made;

        private SslContext get() throws SSLException {
            if (made == null) {
                // The kubelet does not look at the certificate either: whether somebody answers is all that is asked.
                made = SslContextBuilder.forClient()
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .endpointIdentificationAlgorithm("")
                        .build();
            }
            return made;
        }
    }

    /**
     * Asks.
     *
     * @param done hears once what is wrong, in one sentence; empty when all is well
     * @return the question, to give it up
     */
    static AppQuestion ask(
            EventLoop loop,
            Transport transport,
            AppHealth.Question question,
            InetAddress host,
            Tls tls,
            Consumer<String> done) {
        AppQuestion asked = new AppQuestion(loop, transport, question, host, tls, done);
        asked.begin();
        return asked;
    }

    /** Ends it without an answer, because nobody waits for one any more. */
    void giveUp() {
        over = true;
        if (channel != null) {
            channel.close();
        }
    }

    private void begin() {
        Future<?> late = loop.schedule(
                () -> end("%s did not answer in %d s"
                        .formatted(name(), question.timeout().toSeconds())),
                question.timeout().toMillis(),
                TimeUnit.MILLISECONDS);
        channel = new Bootstrap()
                .group(loop)
                .channel(transport.client())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        question.timeout().toMillis())
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connecting) throws SSLException {
                        if (question.http().isPresent()) {
                            speak(connecting, question.http().get());
                        }
                    }
                })
                .connect(address)
                .addListener((ChannelFutureListener) connected -> {
                    if (!connected.isSuccess()) {
                        end("%s: %s".formatted(name(), connected.cause().getMessage()));
                    } else if (question.http().isEmpty()) {
                        end("");
                    }
                })
                .channel();
        channel.closeFuture().addListener(closed -> {
            late.cancel(false);
            end("%s closed the connection without an answer".formatted(name()));
        });
    }

    private void speak(SocketChannel connecting, AppHealth.Http http) throws SSLException {
        if (http.secure()) {
            SslHandler handler = tls.get().newHandler(connecting.alloc());
            handler.setHandshakeTimeoutMillis(question.timeout().toMillis());
            connecting.pipeline().addLast("tls", handler);
        }
        connecting
                .pipeline()
                .addLast("http", new HttpClientCodec(4096, MAX_HEAD_BYTES, 8192))
                .addLast("asking", new Asking(http));
    }

    private String name() {
        return NetUtil.toSocketAddressString(address);
    }

    private void end(String problem) {
        if (over) {
            return;
        }
        over = true;
        done.accept(problem);
        if (channel != null) {
            channel.close();
        }
    }

    private final class Asking extends SimpleChannelInboundHandler<HttpObject> {
        private final AppHealth.Http http;

        Asking(AppHealth.Http http) {
            this.http = http;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            DefaultFullHttpRequest request =
                    new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, http.path());
            request.headers()
                    .set(HttpHeaderNames.HOST, name())
                    .set(HttpHeaderNames.USER_AGENT, "tulle-probe")
                    .set(HttpHeaderNames.ACCEPT, "*/*")
                    .set(HttpHeaderNames.CONNECTION, "close");
            http.headers().forEach(header -> request.headers().set(header.name(), header.value()));
            ctx.writeAndFlush(request);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
            if (message instanceof HttpResponse answer) {
                int status = answer.status().code();
                boolean well = answer.decoderResult().isSuccess() && status >= 200 && status < 400;
                end(well ? "" : "GET %s of %s answers %d".formatted(http.path(), name(), status));
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            end("%s: %s".formatted(name(), cause.getMessage()));
        }
    }
}
