package dev.tulle.conformance.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * The application behind the bench, as cheap as can be, so that it hides little of what the proxies cost: three ports on one
 * event loop, printed as one line {@code http1 http2 tcp}.
 *
 * <ul>
 *   <li>HTTP/1.1: every empty line is the end of a request without body; the answer is 1 KiB.
 *   <li>HTTP/2 with prior knowledge: every stream is answered, when it ends, with 1 KiB and the trailer {@code grpc-status: 0}.
 *   <li>TCP: the first bytes of a connection are answered with one byte; all are dropped.
 * </ul>
 */
public final class BenchOrigin {
    private static final int BODY_BYTES = 1024;
    private static final int FRAME_HEAD = 9;
    private static final int FLAG_END_STREAM = 1;
    private static final int FLAG_ACK = 1;
    private static final int FLAG_END_HEADERS = 4;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    private static final int PREFACE_BYTES = 24;

    private BenchOrigin() {}

    /** Runs until it is killed. */
    public static void main(String[] args) {
        MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        System.out.println(
                listen(loop, Http1::new) + " " + listen(loop, Http2::new) + " " + listen(loop, BenchOrigin::tcp));
    }

    private static int listen(MultiThreadIoEventLoopGroup loop, Supplier<ChannelHandler> handler) {
        Channel server = new ServerBootstrap()
                .group(loop)
                .channel(EpollServerSocketChannel.class)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(handler.get());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    private static ChannelHandler tcp() {
        return new ChannelInboundHandlerAdapter() {
            private boolean answered;

            @Override
            @SuppressWarnings("FutureReturnValueIgnored") // Whoever went away is not missed.
            public void channelRead(ChannelHandlerContext context, Object message) {
                ((ByteBuf) message).release();
                if (!answered) {
                    answered = true;
                    context.writeAndFlush(context.alloc().ioBuffer(1).writeByte('!'));
                }
            }
        };
    }

    @SuppressWarnings("FutureReturnValueIgnored") // Whoever went away is not missed.
    private static final class Http1 extends ChannelInboundHandlerAdapter {
        private static final ByteBuf ANSWER = Unpooled.unreleasableBuffer(Unpooled.directBuffer()
                .writeBytes(("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + BODY_BYTES + "\r\n\r\n"
                                + "x".repeat(BODY_BYTES))
                        .getBytes(StandardCharsets.US_ASCII)));

        /** How much of CR LF CR LF the last bytes were. */
        private int matched;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            bytes.forEachByte(next -> {
                matched = next == (matched % 2 == 0 ? '\r' : '\n') ? matched + 1 : next == '\r' ? 1 : 0;
                if (matched == 4) {
                    matched = 0;
                    context.write(ANSWER.duplicate());
                }
                return true;
            });
            bytes.release();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // Whoever went away is not missed.
    private static final class Http2 extends ByteToMessageDecoder {
        private static final byte[] BODY = "x".repeat(BODY_BYTES).getBytes(StandardCharsets.US_ASCII);
        /** {@code :status: 200} of the static table. */
        private static final byte[] HEAD = {(byte) 0x88};

        private static final byte[] TRAILERS = literal("grpc-status", "0");

        private boolean prefaceRead;
        private long window = 65_535;
        private final Deque<Integer> waiting = new ArrayDeque<>();

        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
            if (!prefaceRead) {
                if (in.readableBytes() < PREFACE_BYTES) {
                    return;
                }
                in.skipBytes(PREFACE_BYTES);
                prefaceRead = true;
                // MAX_CONCURRENT_STREAMS 1000.
                write(context, SETTINGS, 0, 0, new byte[] {0, 3, 0, 0, 3, (byte) 0xe8});
            }
            while (in.readableBytes() >= FRAME_HEAD) {
                int length = in.getUnsignedMedium(in.readerIndex());
                if (in.readableBytes() < FRAME_HEAD + length) {
                    return;
                }
                in.skipBytes(3);
                int type = in.readUnsignedByte();
                int flags = in.readUnsignedByte();
                int stream = in.readInt();
                frame(context, type, flags, stream, in.readSlice(length));
            }
        }

        private void frame(ChannelHandlerContext context, int type, int flags, int stream, ByteBuf payload) {
            boolean acknowledged = (flags & FLAG_ACK) != 0;
            switch (type) {
                case HEADERS, DATA -> {
                    if (type == DATA && payload.isReadable()) {
                        write(context, WINDOW_UPDATE, 0, 0, number(payload.readableBytes()));
                    }
                    if ((flags & FLAG_END_STREAM) != 0) {
                        waiting.add(stream);
                        answer(context);
                    }
                }
                case SETTINGS -> {
                    if (!acknowledged) {
                        write(context, SETTINGS, FLAG_ACK, 0, new byte[0]);
                    }
                }
                case PING -> {
                    if (!acknowledged) {
                        byte[] data = new byte[8];
                        payload.readBytes(data);
                        write(context, PING, FLAG_ACK, 0, data);
                    }
                }
                case WINDOW_UPDATE -> {
                    if (stream == 0) {
                        window += payload.readInt();
                        answer(context);
                    }
                }
                default -> {
                    // The rest changes nothing here.
                }
            }
        }

        /** A body is far below any stream's window, so only the connection's is watched. */
        private void answer(ChannelHandlerContext context) {
            while (window >= BODY_BYTES && !waiting.isEmpty()) {
                int stream = waiting.remove();
                window -= BODY_BYTES;
                write(context, HEADERS, FLAG_END_HEADERS, stream, HEAD);
                write(context, DATA, 0, stream, BODY);
                write(context, HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, stream, TRAILERS);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) throws Exception {
            context.flush();
            super.channelReadComplete(context);
        }

        private static void write(ChannelHandlerContext context, int type, int flags, int stream, byte[] payload) {
            context.write(context.alloc()
                    .ioBuffer(FRAME_HEAD + payload.length)
                    .writeMedium(payload.length)
                    .writeByte(type)
                    .writeByte(flags)
                    .writeInt(stream)
                    .writeBytes(payload));
        }

        private static byte[] number(int value) {
            return new byte[] {(byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value};
        }

        private static byte[] literal(String name, String value) {
            ByteBuf block = Unpooled.buffer();
            block.writeByte(0)
                    .writeByte(name.length())
                    .writeBytes(name.getBytes(StandardCharsets.US_ASCII))
                    .writeByte(value.length())
                    .writeBytes(value.getBytes(StandardCharsets.US_ASCII));
            byte[] bytes = new byte[block.readableBytes()];
            block.readBytes(bytes);
            return bytes;
        }
    }
}
