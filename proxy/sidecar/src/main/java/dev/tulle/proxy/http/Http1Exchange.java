package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer on an HTTP/1.1 connection: of one message the body comes in, of the other it goes out. Event loop only.
 */
abstract class Http1Exchange implements StreamEnd {
    /** The size line of a chunk or the end of one. */
    private static final int CHUNK_LINE = 12;

    /** One chunk and the last one behind it, without the bytes of the body. */
    private static final int ONE_CHUNK = 4 * CHUNK_LINE;

    private final Http1Connection<?> connection;
    private final RequestHead head;
    private @Nullable StreamListener listener;
    private boolean incomingDone;
    private boolean outgoingDone;
    private boolean chunked;
    private boolean bodyless;
    private boolean tunnel;
    private long remaining = RequestHead.UNKNOWN;
    private int unconsumed;
    private int undrained;

    Http1Exchange(Http1Connection<?> connection, RequestHead head) {
        this.connection = connection;
        this.head = head;
    }

    /** Goes on when both messages may be over. */
    abstract void finish();

    /** Whether the head of the outgoing message is written and its body may follow. */
    abstract boolean sendsBody();

    final RequestHead head() {
        return head;
    }

    final @Nullable StreamListener listener() {
        return listener;
    }

    final void listener(StreamListener hearing) {
        listener = hearing;
    }

    /** Whether the connection has gone on without it. */
    final boolean isGone() {
        return !connection.isCurrent(this) || !connection.output().isOpen();
    }

    final boolean isIncomingDone() {
        return incomingDone;
    }

    final void incomingDone(boolean done) {
        incomingDone = done;
    }

    final boolean isOutgoingDone() {
        return outgoingDone;
    }

    final void outgoingDone() {
        outgoingDone = true;
    }

    final boolean isTunnel() {
        return tunnel;
    }

    /** From now on plain bytes go both ways. */
    final void becomeTunnel() {
        tunnel = true;
        incomingDone = false;
        outgoingDone = false;
        chunked = false;
        bodyless = false;
        remaining = RequestHead.UNKNOWN;
    }

    /**
     * Says how the outgoing body is delimited.
     *
     * @param none whether body bytes are left out
     * @param length of the body, or {@link RequestHead#UNKNOWN}
     */
    final void sends(boolean inChunks, boolean none, long length) {
        chunked = inChunks;
        bodyless = none;
        remaining = length;
    }

    final boolean isChunked() {
        return chunked;
    }

    /** Whether the receiver learns from the end of the connection alone that the outgoing body has ended. */
    final boolean endsWithConnection() {
        return !chunked && remaining < 0 && !tunnel;
    }

    final int unconsumed() {
        return unconsumed;
    }

    /** Room to ask for when the head is written, so that a short body fits behind it. */
    final int bodyRoom(boolean end) {
        return end || bodyless
                ? 0
                : ONE_CHUNK
                        + (int)
                                (remaining < 0
                                        ? Http1Output.MAX_COPIED
                                        : Math.min(remaining, (long) Http1Output.MAX_COPIED));
    }

    /** Hands on body bytes that came in. */
    final void received(ByteBuf data, boolean last) {
        StreamListener hearing = listener;
        if (hearing == null) {
            data.release();
            return;
        }
        unconsumed += data.readableBytes();
        if (last) {
            incomingDone = true;
        }
        hearing.onData(data, last);
        finish();
    }

    /** The incoming message has ended behind its body. */
    final void receivedEnd(Fields trailers) {
        StreamListener hearing = listener;
        if (hearing == null) {
            return;
        }
        incomingDone = true;
        if (trailers.size() == 0) {
            hearing.onData(Unpooled.EMPTY_BUFFER, true);
        } else {
            hearing.onTrailers(trailers);
        }
        finish();
    }

    @Override
    public final void data(ByteBuf data, boolean end) {
        if (isGone() || outgoingDone || !sendsBody()) {
            data.release();
            return;
        }
        connection.moved();
        int length = data.readableBytes();
        if (remaining >= 0 && (length > remaining || (end && length < remaining))) {
            // Neither more nor less than was promised: cut, so that the receiver sees it.
            data.release();
            reset(Reset.MALFORMED);
            return;
        }
        if (remaining >= 0) {
            remaining -= length;
        }
        if (length == 0 || bodyless) {
            data.release();
        } else if (chunked) {
            Http1Output out = connection.output();
            Http1Encoder.chunkSize(length, out.room(CHUNK_LINE));
            out.body(data);
            Http1Encoder.endOfChunk(out.room(CHUNK_LINE));
        } else {
            connection.output().body(data);
        }
        undrained += length;
        if (connection.context().channel().isWritable()) {
            drained();
        }
        if (end) {
            endMessage(Fields.EMPTY);
        }
    }

    @Override
    public final void trailers(Fields trailers) {
        if (isGone() || outgoingDone || !sendsBody()) {
            return;
        }
        if (remaining > 0) {
            reset(Reset.MALFORMED);
            return;
        }
        endMessage(head.takesTrailers() ? trailers : Fields.EMPTY);
    }

    private void endMessage(Fields trailers) {
        if (isGone()) {
            return;
        }
        if (chunked) {
            int room = trailers.size() == 0 ? CHUNK_LINE : Http1Encoder.estimate(trailers);
            Http1Encoder.lastChunk(trailers, connection.output().room(room));
        }
        outgoingDone = true;
        finish();
    }

    @Override
    public final void consumed(int bytes) {
        unconsumed -= bytes;
        if (connection.isCurrent(this) && !connection.isDecoding()) {
            connection.steerReads();
        }
    }

    /** What was written has left, or is sure to. */
    final void drained() {
        StreamListener hearing = listener;
        int bytes = undrained;
        undrained = 0;
        if (hearing != null && bytes > 0) {
            hearing.onDrained(bytes);
        }
    }
}
