package dev.tulle.conformance.mesh;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamFrame;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * An HTTP/2 application (prior knowledge) that remembers the heads it received and answers with the path.
 *
 * <p>A path that begins with {@code /big} is answered with a MiB, one with {@code /held} never, and of one with {@code /unread} the body
 * is not read.
 */
public final class Http2Origin implements AutoCloseable {
    private static final byte[] BIG = new byte[1 << 20];

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<Http2Headers> heads = new CopyOnWriteArrayList<>();
    private final List<String> ended = new CopyOnWriteArrayList<>();
    private final Channel server;

    public Http2Origin() {
        server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(Http2FrameCodecBuilder.forServer().build())
                                .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel stream) {
                                        stream.pipeline().addLast(new Answer());
                                    }
                                }));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    public int port() {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    /** Heads of all requests, whether they ended or not. */
    public List<Http2Headers> heads() {
        return List.copyOf(heads);
    }

    /** Heads of the requests to a path. */
    public List<Http2Headers> heads(String path) {
        return heads.stream().filter(head -> path.contentEquals(head.path())).toList();
    }

    /** Paths of the requests that ended well. */
    public List<String> ended() {
        return List.copyOf(ended);
    }

    @Override
    public void close() {
        server.close().syncUninterruptibly();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Answer extends SimpleChannelInboundHandler<Http2StreamFrame> {
        private String path = "";

        @Override
        protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
            if (frame instanceof Http2HeadersFrame head) {
                if (path.isEmpty()) {
                    path = String.valueOf(head.headers().path());
                    heads.add(head.headers());
                    context.channel().config().setAutoRead(!path.startsWith("/unread"));
                }
                if (head.isEndStream()) {
                    answer(context);
                }
            } else if (frame instanceof Http2DataFrame data && data.isEndStream()) {
                answer(context);
            }
        }

        @SuppressWarnings("FutureReturnValueIgnored") // A write that fails is the caller's to see.
        private void answer(ChannelHandlerContext context) {
            ended.add(path);
            if (path.startsWith("/held")) {
                return;
            }
            context.write(new DefaultHttp2HeadersFrame(new DefaultHttp2Headers().status("200")));
            context.writeAndFlush(new DefaultHttp2DataFrame(
                    path.startsWith("/big")
                            ? Unpooled.wrappedBuffer(BIG)
                            : Unpooled.copiedBuffer(path, StandardCharsets.US_ASCII),
                    true));
        }
    }
}
