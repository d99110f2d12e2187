package dev.tulle.proxy.rehearsal;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What the rehearsed callee stands before: it answers each request with one KiB, and opaque bytes with themselves. */
final class Application {
    private static final int BODY_BYTES = 1024;
    private static final byte[] BODY = body();

    private Application() {}

    /** Listens on an ephemeral port of loopback until the group ends. */
    static HostPort start(EventLoopGroup group, Transport transport, Rehearsal.Act act) throws InterruptedException {
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(transport.server())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        switch (act) {
                            case HTTP1 -> channel.pipeline().addLast(new Http1());
                            case HTTP2 ->
                                channel.pipeline()
                                        .addLast(Http2FrameCodecBuilder.forServer()
                                                .build())
                                        .addLast(new Http2());
                            case OPAQUE -> channel.pipeline().addLast(new Echo());
                        }
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync();
        InetSocketAddress local = (InetSocketAddress) bound.channel().localAddress();
        return new HostPort(local.getAddress().getHostAddress(), local.getPort());
    }

    /** Ends with a line end, and holds no other. */
    private static byte[] body() {
        byte[] body = new byte[BODY_BYTES];
        Arrays.fill(body, (byte) 'x');
        body[BODY_BYTES - 1] = '\n';
        return body;
    }

    /** Takes each read for one whole request, which it is from a proxy that passes on requests without body. */
    private static final class Http1 extends ChannelInboundHandlerAdapter {
        private static final byte[] ANSWER = ("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: "
                        + BODY_BYTES + "\r\n\r\n" + new String(BODY, StandardCharsets.ISO_8859_1))
                .getBytes(StandardCharsets.ISO_8859_1);

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            ctx.writeAndFlush(Unpooled.wrappedBuffer(ANSWER));
        }
    }

    /** Answers when a request has ended. */
    private static final class Http2 extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            try {
                if (message instanceof Http2HeadersFrame headers && headers.isEndStream()) {
                    answer(ctx, headers.stream());
                } else if (message instanceof Http2DataFrame data && data.isEndStream()) {
                    answer(ctx, data.stream());
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        private static void answer(ChannelHandlerContext ctx, Http2FrameStream stream) {
            ctx.write(new DefaultHttp2HeadersFrame(
                            new DefaultHttp2Headers().status("200").set("content-type", "text/plain"))
                    .stream(stream));
            ctx.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(BODY), true).stream(stream));
        }
    }

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.write((ByteBuf) message);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
        }
    }
}
