package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/**
 * Holds the first bytes of a connection until somebody knows what to do with them, then hands them on and leaves the pipeline.
 *
 * <p>Holds at most what one look may need: reads go on only while the look says it wants more.
 */
public final class FirstBytes extends ChannelInboundHandlerAdapter {
    private final Look look;
    private @Nullable ByteBuf held;
    private boolean inputEnded;
    private boolean done;

    public FirstBytes(Look look) {
        this.look = look;
    }

    /** Decides from the bytes that came so far. */
    public interface Look {
        /**
         * Called whenever bytes came; must not move the reader index.
         *
         * @return whether it is decided: the handlers that take the bytes stand behind this one in the pipeline
         */
        boolean decided(ChannelHandlerContext ctx, ByteBuf soFar);

        /** The client ended its side before anything was decided; whoever takes the bytes later hears of it too. */
        void ended(ChannelHandlerContext ctx);
    }

    /** Decides from outside, as when the server spoke first; the bytes held go on. */
    public void decide(ChannelHandlerContext ctx) {
        if (!done) {
            done = true;
            ByteBuf bytes = held;
            held = null;
            if (bytes != null) {
                ctx.fireChannelRead(bytes);
                ctx.fireChannelReadComplete();
            }
            if (inputEnded) {
                ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            }
            ctx.pipeline().remove(this);
        }
    }

    /** Whether no byte has come. */
    public boolean isSilent() {
        return held == null;
    }

    /** Whether the bytes that came so far are the beginning of a request. */
    public boolean couldBeHttp() {
        return held != null && Detected.couldBeHttp(held);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        held = held == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), held, in);
        if (look.decided(ctx, held)) {
            decide(ctx);
        } else if (!ctx.channel().isOpen()) {
            drop();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        drop();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        drop();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent && !done) {
            inputEnded = true;
            look.ended(ctx);
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    private void drop() {
        if (held != null) {
            held.release();
            held = null;
        }
    }
}
