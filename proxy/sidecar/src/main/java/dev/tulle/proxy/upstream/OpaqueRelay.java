package dev.tulle.proxy.upstream;

import dev.tulle.proxy.http.Sweeper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Bytes both ways between two channels of one event loop; each side is read only while the other can be written.
 *
 * <p>The end of one side's bytes is passed on as such (half-close): over TLS too it is the TCP end alone, since BoringSSL's engine
 * takes a close_notify for the end of both directions.
 */
public final class OpaqueRelay {
    /** A connection of which one side has ended and on which nothing moves any more is closed after this. */
    private static final long HALF_CLOSED_IDLE_MINUTES = 10;

    /** What is left to write when the other side is gone has so long. */
    private static final long LAST_BYTES_SECONDS = 30;

    /** So much is written at once: four full TLS records, which are still in the processor's cache after being read. */
    private static final int FLUSH_BYTES = 64 * 1024;

    private final Side down;
    private final Side up;
    private final Ended ended;
    private boolean over;
    private long moved = System.nanoTime();

    /** Learns the end; called once. */
    public interface Ended {
        /**
         * The connection is over.
         *
         * @param clean whether both sides ended their bytes, or the first to go closed its connection
         * @param downBytes received from downstream
         * @param upBytes received from upstream
         */
        void ended(boolean clean, long downBytes, long upBytes);
    }

    private OpaqueRelay(Channel downstream, Channel upstream, Ended ended) {
        this.down = new Side();
        this.up = new Side();
        down.peer = upstream;
        up.peer = downstream;
        this.ended = ended;
    }

    /** Joins two channels by a handler at the end of each pipeline. Reads of both are on afterwards. */
    public static void join(Channel downstream, Channel upstream, Ended ended) {
        if (!downstream.eventLoop().equals(upstream.eventLoop())) {
            throw new IllegalArgumentException("the two legs are on different event loops");
        }
        OpaqueRelay relay = new OpaqueRelay(downstream, upstream, ended);
        downstream.pipeline().addLast("relay", relay.down);
        upstream.pipeline().addLast("relay", relay.up);
        Sweeper.of(downstream.eventLoop()).add(relay.down);
        downstream.config().setAutoRead(upstream.isWritable());
        upstream.config().setAutoRead(downstream.isWritable());
        if (!downstream.isActive() || !upstream.isActive()) {
            relay.close(false);
        }
    }

    private void close(boolean clean) {
        if (!over) {
            over = true;
            ended.ended(clean, down.bytes, up.bytes);
            for (Channel channel : new Channel[] {down.peer, up.peer}) {
                if (channel != null && channel.isActive()) {
                    ChannelFuture written = channel.writeAndFlush(Unpooled.EMPTY_BUFFER);
                    written.addListener(ChannelFutureListener.CLOSE);
                    if (!written.isDone()) {
                        channel.eventLoop().schedule(() -> channel.close(), LAST_BYTES_SECONDS, TimeUnit.SECONDS);
                    }
                }
            }
        }
    }

    /** Takes what one channel receives and writes it to the other. */
    private final class Side extends ChannelInboundHandlerAdapter implements Sweeper.Swept {
        private @Nullable Channel peer;
        private long bytes;
        private int unflushed;
        private boolean inputEnded;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (over || peer == null || inputEnded) {
                ReferenceCountUtil.release(message);
                return;
            }
            int size = ((ByteBuf) message).readableBytes();
            bytes += size;
            unflushed += size;
            peer.write(message, peer.voidPromise());
            if (unflushed >= FLUSH_BYTES) {
                flush(ctx);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (unflushed > 0) {
                flush(ctx);
            }
            ctx.fireChannelReadComplete();
        }

        /** What the socket did not take counts against the peer's room: then reads stop until there is some again. */
        private void flush(ChannelHandlerContext ctx) {
            unflushed = 0;
            if (peer != null) {
                moved = System.nanoTime();
                peer.flush();
                if (!peer.isWritable()) {
                    ctx.channel().config().setAutoRead(false);
                }
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            // Only the way back: between a write and its flush a channel is full for a moment without meaning anything.
            if (peer != null && ctx.channel().isWritable()) {
                peer.config().setAutoRead(true);
            }
            ctx.fireChannelWritabilityChanged();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent && !inputEnded) {
                inputEnded = true;
                if (up.inputEnded && down.inputEnded) {
                    close(true);
                } else if (peer instanceof DuplexChannel duplex) {
                    // Behind everything written before.
                    peer.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> duplex.shutdownOutput());
                }
            }
            ctx.fireUserEventTriggered(event);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            Sweeper.of(ctx.channel().eventLoop()).remove(down);
            close(true);
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            close(false);
        }

        @Override
        public void sweep(long now) {
            if ((up.inputEnded || down.inputEnded)
                    && TimeUnit.NANOSECONDS.toMinutes(now - moved) >= HALF_CLOSED_IDLE_MINUTES) {
                close(false);
            }
        }
    }
}
