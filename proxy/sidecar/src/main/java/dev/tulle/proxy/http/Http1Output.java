package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/**
 * What one side of an HTTP/1.1 connection sends: heads, framing and short bodies are gathered in one buffer, so that a small message
 * leaves by one system call and in one TLS record; flushed at the end of the loop's round. Event loop only.
 */
final class Http1Output {
    /** Longest piece of a body that is copied behind the head rather than sent as a buffer of its own. */
    static final int MAX_COPIED = 4096;

    private static final int LEAST_ROOM = 64;

    private final ChannelHandlerContext context;
    private final Flusher flusher;
    private @Nullable ByteBuf gathered;
    private boolean open = true;

    Http1Output(ChannelHandlerContext context) {
        this.context = context;
        this.flusher = new Flusher(context, this::flush);
    }

    /** Whether what is written is sent. */
    boolean isOpen() {
        return open;
    }

    /**
     * A buffer behind everything written so far.
     *
     * <p>Only while {@link #isOpen}.
     *
     * @param bytes about how many are going to be written to it before anything else here is called
     */
    ByteBuf room(int bytes) {
        ByteBuf to = gathered;
        if (to == null || to.writableBytes() < bytes) {
            handOver();
            to = context.alloc().ioBuffer(Math.max(bytes, LEAST_ROOM));
            gathered = to;
            flusher.soon();
        }
        return to;
    }

    /** Writes a piece of a body, which is taken over. */
    void body(ByteBuf data) {
        int length = data.readableBytes();
        ByteBuf to = gathered;
        if (!open) {
            data.release();
        } else if (to != null && length <= MAX_COPIED && length <= to.writableBytes()) {
            to.writeBytes(data);
            data.release();
        } else {
            handOver();
            context.write(data, context.voidPromise());
            flusher.soon();
        }
    }

    /** Sends everything that was written. */
    void flush() {
        handOver();
        context.flush();
    }

    /** The connection ends: what was written and not flushed is dropped, and so is all that still comes. */
    void close() {
        open = false;
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
    }

    private void handOver() {
        ByteBuf whole = gathered;
        gathered = null;
        if (whole != null) {
            context.write(whole, context.voidPromise());
        }
    }
}
