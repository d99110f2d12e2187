package dev.tulle.proxy.outbound;

import dev.tulle.proxy.model.HostPort;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** HTTP/2 in plain text for tests, by Netty's own multiplexer: a client and an application, each stream read frame by frame. */
final class H2 {
    private H2() {}

    private static EventLoopGroup loop() {
        return new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    }

    /** What came on a stream. */
    sealed interface Seen {
        record Head(Http2Headers headers, boolean end) implements Seen {}

        record Data(String text, boolean end) implements Seen {}

        record Reset(long code) implements Seen {}

        record Closed() implements Seen {}
    }

    /** One stream, either side. */
    static final class Stream {
        private final Channel channel;
        private final BlockingQueue<Seen> seen;

        Stream(Channel channel, BlockingQueue<Seen> seen) {
            this.channel = channel;
            this.seen = seen;
        }

        Stream headers(boolean end, String... namesAndValues) {
            Http2Headers headers = new DefaultHttp2Headers(false);
            for (int i = 0; i < namesAndValues.length; i += 2) {
                headers.add(namesAndValues[i], namesAndValues[i + 1]);
            }
            channel.writeAndFlush(new DefaultHttp2HeadersFrame(headers, end));
            return this;
        }

        Stream data(String text, boolean end) {
            channel.writeAndFlush(
                    new DefaultHttp2DataFrame(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1), end));
            return this;
        }

        Stream reset(long code) {
            channel.writeAndFlush(new DefaultHttp2ResetFrame(code));
            return this;
        }

        Channel channel() {
            return channel;
        }

        Seen next() throws InterruptedException {
            Seen next = seen.poll(10, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("nothing came on the stream");
            }
            return next;
        }

        Http2Headers head() throws InterruptedException {
            Seen next = next();
            if (next instanceof Seen.Head head) {
                return head.headers();
            }
            throw new AssertionError("not headers but " + next);
        }

        /** All body bytes up to the end of the message; trailers may follow in {@link #trailers}. */
        String body() throws InterruptedException {
            StringBuilder text = new StringBuilder();
            while (true) {
                Seen next = next();
                if (next instanceof Seen.Data data) {
                    text.append(data.text());
                    if (data.end()) {
                        return text.toString();
                    }
                } else if (next instanceof Seen.Head head) {
                    trailers = head.headers();
                    return text.toString();
                } else {
                    throw new AssertionError("after '" + text + "': " + next);
                }
            }
        }

        private volatile Http2Headers trailers = new DefaultHttp2Headers();

        Http2Headers trailers() {
            return trailers;
        }
    }

    private static final class Recorder extends ChannelInboundHandlerAdapter {
        private final BlockingQueue<Seen> seen;

        Recorder(BlockingQueue<Seen> seen) {
            this.seen = seen;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            if (frame instanceof Http2HeadersFrame headers) {
                seen.add(new Seen.Head(headers.headers(), headers.isEndStream()));
            } else if (frame instanceof Http2DataFrame data) {
                ByteBuf content = data.content();
                seen.add(new Seen.Data(content.toString(StandardCharsets.ISO_8859_1), data.isEndStream()));
            }
            ReferenceCountUtil.release(frame);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof Http2ResetFrame reset) {
                seen.add(new Seen.Reset(reset.errorCode()));
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            seen.add(new Seen.Closed());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            // A reset comes as an event too.
        }
    }

    /** An HTTP/2 client with prior knowledge. */
    static final class Client implements AutoCloseable {
        private final EventLoopGroup loop = loop();
        private final Channel channel;
        final List<Long> goAways = new CopyOnWriteArrayList<>();

        Client(HostPort to) throws InterruptedException {
            this(to, Http2Settings.defaultSettings());
        }

        Client(HostPort to, Http2Settings settings) throws InterruptedException {
            channel = new Bootstrap()
                    .group(loop)
                    .channel(NioSocketChannel.class)
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel ch) {
                            ch.pipeline()
                                    .addLast(Http2FrameCodecBuilder.forClient()
                                            .validateHeaders(false)
                                            .initialSettings(settings)
                                            .build())
                                    .addLast(new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()))
                                    .addLast(new ChannelInboundHandlerAdapter() {
                                        @Override
                                        public void channelRead(ChannelHandlerContext ctx, Object frame) {
                                            if (frame instanceof Http2GoAwayFrame goAway) {
                                                goAways.add(goAway.errorCode());
                                            }
                                            ReferenceCountUtil.release(frame);
                                        }
                                    });
                        }
                    })
                    .connect("127.0.0.1", to.port())
                    .sync()
                    .channel();
        }

        /** Takes so many bytes more, over all streams, before it has read any. */
        void widen(int bytes) throws Exception {
            Http2Connection connection =
                    channel.pipeline().get(Http2FrameCodec.class).connection();
            channel.eventLoop()
                    .submit(() -> {
                        connection.local().flowController().incrementWindowSize(connection.connectionStream(), bytes);
                        channel.flush();
                        return null;
                    })
                    .get(10, TimeUnit.SECONDS);
        }

        Stream open() throws InterruptedException {
            BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
            Future<Http2StreamChannel> opening = new Http2StreamChannelBootstrap(channel)
                    .handler(new Recorder(seen))
                    .open();
            if (!opening.await().isSuccess()) {
                throw new IllegalStateException("the connection takes no stream", opening.cause());
            }
            return new Stream(opening.getNow(), seen);
        }

        Stream get(String path) throws InterruptedException {
            return open().headers(
                            true, ":method", "GET", ":scheme", "http", ":authority", "reviews:9080", ":path", path);
        }

        Stream post(String path, String... more) throws InterruptedException {
            String[] head = {":method", "POST", ":scheme", "http", ":authority", "reviews:9080", ":path", path};
            String[] all = new String[head.length + more.length];
            System.arraycopy(head, 0, all, 0, head.length);
            System.arraycopy(more, 0, all, head.length, more.length);
            return open().headers(false, all);
        }

        Channel channel() {
            return channel;
        }

        @Override
        public void close() {
            channel.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
            loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        }
    }

    /** An application that speaks HTTP/2 in plain text; each stream is served by the test's own code on a thread of its own. */
    static final class Origin implements AutoCloseable {
        private final EventLoopGroup loop = loop();
        private final Channel server;
        final List<Channel> connections = new CopyOnWriteArrayList<>();
        final List<Throwable> failures = new CopyOnWriteArrayList<>();

        interface Script {
            void serve(Stream stream) throws Exception;
        }

        Origin(Script script) throws InterruptedException {
            this(Http2Settings.defaultSettings(), script);
        }

        Origin(Http2Settings settings, Script script) throws InterruptedException {
            server = new ServerBootstrap()
                    .group(loop)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel ch) {
                            connections.add(ch);
                            ch.pipeline()
                                    .addLast(Http2FrameCodecBuilder.forServer()
                                            .initialSettings(settings)
                                            .build())
                                    .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                                        @Override
                                        protected void initChannel(Channel stream) {
                                            BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
                                            stream.pipeline().addLast(new Recorder(seen));
                                            Thread.ofVirtual().start(() -> {
                                                try {
                                                    script.serve(new Stream(stream, seen));
                                                } catch (Throwable e) {
                                                    failures.add(e);
                                                }
                                            });
                                        }
                                    }));
                        }
                    })
                    .bind("127.0.0.1", 0)
                    .sync()
                    .channel();
        }

        HostPort address() {
            return new HostPort("127.0.0.1", ((java.net.InetSocketAddress) server.localAddress()).getPort());
        }

        @Override
        public void close() {
            server.close();
            connections.forEach(Channel::close);
            loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        }
    }
}
