package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;

/**
 * Our end of one HTTP stream, as a connection offers it: takes the outgoing message and hears how much of the incoming one is done
 * with. Event loop only; calls after the stream has ended are ignored (buffers are released).
 */
public interface StreamEnd {
    /**
     * Writes body bytes on; they are flushed when the current round of the event loop ends.
     *
     * @param data taken over; may be empty
     * @param end whether the message ends with them
     */
    void data(ByteBuf data, boolean end);

    /** Ends the message with trailers; they are left out where the receiver does not take them. */
    void trailers(Fields trailers);

    /** Gives the stream up in both directions. */
    void reset(Reset reset);

    /** Incoming body bytes have been passed on: the peer may send as many more. */
    void consumed(int bytes);
}
