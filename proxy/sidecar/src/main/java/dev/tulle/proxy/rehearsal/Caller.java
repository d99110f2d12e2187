package dev.tulle.proxy.rehearsal;

import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Who calls in the rehearsal: on each connection one exchange after the other, every hundredth on a new connection. */
final class Caller {
    private static final int EXCHANGES_PER_CONNECTION = 100;

    private Caller() {}

    static void start(
            EventLoopGroup group, Transport transport, Rehearsal.Act act, HostPort to, Rehearsal.Exchanges exchanges) {
        Exchange exchange = new Exchange(exchanges, () -> start(group, transport, act, to, exchanges));
        new Bootstrap()
                .group(group)
                .channel(transport.client())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        switch (act) {
                            case HTTP1 -> channel.pipeline().addLast(new Lines(Lines.REQUEST, exchange));
                            case HTTP2 -> channel.pipeline().addLast(new Streams(exchange));
                            case OPAQUE -> channel.pipeline().addLast(new Lines(Lines.OPAQUE, exchange));
                        }
                    }
                })
                .connect(new InetSocketAddress(to.host(), to.port()))
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        exchanges.failed();
                    }
                });
    }

    /** Goes on, changes to a new connection, or ends. */
    private static final class Exchange {
        private final Rehearsal.Exchanges exchanges;
        private final Runnable again;
        private int number;

        Exchange(Rehearsal.Exchanges exchanges, Runnable again) {
            this.exchanges = exchanges;
            this.again = again;
        }

        /** One is done; whether to begin the next here. */
        boolean next(ChannelHandlerContext ctx) {
            if (!exchanges.next()) {
                ctx.close();
                return false;
            }
            if (++number == EXCHANGES_PER_CONNECTION) {
                ctx.close();
                again.run();
                return false;
            }
            return true;
        }
    }

    /** Sends a message and waits for the last line end of the answer, which alone has an x before it. */
    private static final class Lines extends ChannelInboundHandlerAdapter {
        private static final byte[] REQUEST = ascii(
                "GET /products/7?page=2 HTTP/1.1\r\nhost: application\r\naccept: */*\r\nuser-agent: rehearsal\r\n\r\n");
        private static final byte[] OPAQUE = ascii("SET key x\n");
        private final byte[] message;
        private final Exchange exchange;

        Lines(byte[] message, Exchange exchange) {
            this.message = message;
            this.exchange = exchange;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(Unpooled.wrappedBuffer(message));
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object answer) {
            ByteBuf bytes = (ByteBuf) answer;
            int end = bytes.writerIndex();
            boolean ended = bytes.getByte(end - 1) == '\n' && (end < 2 || bytes.getByte(end - 2) != '\r');
            bytes.release();
            if (ended && exchange.next(ctx)) {
                ctx.writeAndFlush(Unpooled.wrappedBuffer(message));
            }
        }
    }

    /** One HTTP/2 stream after the other, by hand: of the answers only the frames' heads are read. Source: RFC 9113, 4.1. */
    private static final class Streams extends ByteToMessageDecoder {
        private static final int FRAME_HEAD_BYTES = 9;
        private static final int DATA = 0;
        private static final int HEADERS = 1;
        private static final int SETTINGS = 4;
        private static final int WINDOW_UPDATE = 8;
        private static final int END_STREAM = 1;
        private static final int END_HEADERS = 4;
        private static final int ACK = 1;
        private static final int WINDOW_BYTES = 1 << 20;
        private static final byte[] BODY = new byte[64];
        private static final byte[] FIELDS = fields(
                ":method", "POST",
                ":scheme", "http",
                ":path", "/rehearsal.Products/Find",
                ":authority", "application",
                "content-type", "application/grpc",
                "te", "trailers");
        private final Exchange exchange;
        private int stream = -1;

        Streams(Exchange exchange) {
            this.exchange = exchange;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ByteBuf out = ctx.alloc().buffer();
            out.writeBytes(ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
            frame(out, SETTINGS, 0, 0, 0);
            frame(out, WINDOW_UPDATE, 0, 0, Integer.BYTES).writeInt(WINDOW_BYTES);
            ctx.writeAndFlush(request(out));
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            int length = in.readableBytes() < FRAME_HEAD_BYTES ? 0 : in.getUnsignedMedium(in.readerIndex());
            if (in.readableBytes() < FRAME_HEAD_BYTES + length) {
                return;
            }
            int type = in.getByte(in.readerIndex() + 3);
            int flags = in.getByte(in.readerIndex() + 4);
            in.skipBytes(FRAME_HEAD_BYTES + length);
            if (type == SETTINGS && (flags & ACK) == 0) {
                ctx.writeAndFlush(frame(ctx.alloc().buffer(), SETTINGS, ACK, 0, 0));
            } else if (type == DATA && (flags & END_STREAM) != 0 && exchange.next(ctx)) {
                ctx.writeAndFlush(request(ctx.alloc().buffer()));
            }
        }

        private ByteBuf request(ByteBuf out) {
            stream += 2;
            frame(out, HEADERS, END_HEADERS, stream, FIELDS.length).writeBytes(FIELDS);
            return frame(out, DATA, END_STREAM, stream, BODY.length).writeBytes(BODY);
        }

        private static ByteBuf frame(ByteBuf out, int type, int flags, int stream, int length) {
            return out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(stream);
        }

        /** Literal fields without indexing, names and values shorter than 127 bytes. Source: RFC 7541, 6.2.2. */
        private static byte[] fields(String... namesAndValues) {
            ByteBuf out = Unpooled.buffer();
            for (int i = 0; i < namesAndValues.length; i += 2) {
                out.writeByte(0);
                out.writeByte(namesAndValues[i].length()).writeBytes(ascii(namesAndValues[i]));
                out.writeByte(namesAndValues[i + 1].length()).writeBytes(ascii(namesAndValues[i + 1]));
            }
            return ByteBufUtil.getBytes(out);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
