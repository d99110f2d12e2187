package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1Decoder.DataReader;
import dev.tulle.proxy.http.Http1Decoder.Step;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What both sides of an HTTP/1.1 connection have in common: bytes in and out, one exchange at a time, and reads that stop while
 * {@code bufferPerStreamBytes} of a body are not consumed or as many bytes of messages to come are held.
 *
 * @param <E> the side's view of one request and its answer
 */
abstract class Http1Connection<E extends Http1Exchange> extends ChannelInboundHandlerAdapter implements Sweeper.Swept {
    private final Limits limits;
    private final Http1Decoder decoder;
    private final DataReader reader = this::data;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Http1Output output;
    private @Nullable ByteBuf held;
    private @Nullable E current;
    private boolean decoding;
    private boolean moved = true;
    private long movedAt;

    Http1Connection(Limits limits, boolean server) {
        this.limits = limits;
        this.decoder = new Http1Decoder(limits.http(), server);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        output = new Http1Output(ctx);
        Sweeper.of(ctx.channel().eventLoop()).add(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        over();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        over();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        moved();
        E exchange = current;
        if (exchange != null && ctx.channel().isWritable()) {
            exchange.drained();
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void sweep(long now) {
        if (moved) {
            moved = false;
            movedAt = now;
        }
        sweep(now, TimeUnit.NANOSECONDS.toMillis(now - movedAt));
    }

    /** Whether nothing has moved since a sweep. */
    public final boolean hasRested() {
        return !moved;
    }

    /** Compares times; {@code stillMillis} is for how long nothing has moved, up to a second too short. */
    abstract void sweep(long now, long stillMillis);

    /** A head was found: {@link Http1Decoder#scratch()}. */
    abstract void head() throws MalformedMessage;

    /** The peer broke the protocol. */
    abstract void malformed(MalformedMessage cause);

    /** Whether what comes in is of no interest any more. */
    abstract boolean isDeaf();

    /** Whether bytes may be decoded now. */
    abstract boolean wantsBytes();

    /** As much was decoded as there is and as is wanted. */
    abstract void decoded();

    /** The connection has ended under the exchange. */
    abstract void lost();

    final Limits limits() {
        return limits;
    }

    final Http1Decoder decoder() {
        return decoder;
    }

    final ChannelHandlerContext context() {
        return inPipeline(context);
    }

    final Http1Output output() {
        return inPipeline(output);
    }

    private static <T> T inPipeline(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("the connection is in no pipeline yet");
        }
        return part;
    }

    final @Nullable E current() {
        return current;
    }

    final boolean isCurrent(Http1Exchange exchange) {
        return exchange.equals(current);
    }

    final void current(@Nullable E exchange) {
        current = exchange;
    }

    final boolean isDecoding() {
        return decoding;
    }

    /** Whether bytes wait to be decoded. */
    final boolean holdsBytes() {
        return held != null && held.isReadable();
    }

    /** Something has moved; the sweeper takes the time when it comes by. */
    final void moved() {
        moved = true;
    }

    /** Takes bytes that came. */
    final void received(ByteBuf in) {
        moved = true;
        held = held == null
                ? in
                : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(context().alloc(), held, in);
        decode();
    }

    /** Decodes what is held, as far as it is wanted. */
    final void decode() {
        if (decoding) {
            return;
        }
        decoding = true;
        try {
            while (held != null && held.isReadable() && !isDeaf() && wantsBytes()) {
                Step step = decoder.next(held, reader);
                if (step == Step.MORE) {
                    break;
                }
                if (step == Step.HEAD) {
                    head();
                } else if (step == Step.END && current != null) {
                    current.receivedEnd(decoder.trailers());
                }
            }
            decoded();
        } catch (MalformedMessage e) {
            malformed(e);
        } finally {
            decoding = false;
            if (held != null && (isDeaf() || !held.isReadable())) {
                held.release();
                held = null;
            }
            steerReads();
        }
    }

    private void data(ByteBuf data, boolean last) {
        E exchange = current;
        if (exchange == null) {
            data.release();
        } else {
            exchange.received(data, last);
        }
    }

    final void steerReads() {
        ChannelHandlerContext ctx = context;
        if (ctx == null || output == null || !output.isOpen()) {
            return;
        }
        E exchange = current;
        int high = limits.connections().bufferPerStreamBytes();
        boolean wanted =
                (exchange == null || exchange.unconsumed() < high) && (held == null || held.readableBytes() < high);
        if (ctx.channel().config().isAutoRead() != wanted) {
            ctx.channel().config().setAutoRead(wanted);
        }
    }

    /** Sends what is written and then the end. */
    final void flushAndClose() {
        Http1Output out = output();
        if (out.isOpen()) {
            out.flush();
            out.close();
            context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** Closes at once. */
    final void closeNow() {
        if (output != null) {
            output.close();
        }
        if (context != null) {
            context.close();
        }
    }

    private void over() {
        lost();
        if (output != null) {
            output.close();
        }
        if (held != null && !decoding) {
            held.release();
            held = null;
        }
        if (context != null) {
            Sweeper.of(context.channel().eventLoop()).remove(this);
        }
    }
}
