package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;

/** Hears what comes in on a stream. Event loop only; nothing is called after an end or a reset, but {@link #onDrained} may be. */
public interface StreamListener {
    /**
     * Body bytes came.
     *
     * @param data given over; must be acknowledged by {@link StreamEnd#consumed} once passed on
     * @param end whether the message ends with them
     */
    void onData(ByteBuf data, boolean end);

    /** The message ended with trailers. */
    void onTrailers(Fields trailers);

    /** The stream ended before its messages did. */
    void onReset(Reset reset);

    /** So many bytes written to this stream's {@link StreamEnd} have left, or are sure to leave without waiting for the peer. */
    void onDrained(int bytes);
}
