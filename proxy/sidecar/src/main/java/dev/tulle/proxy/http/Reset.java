package dev.tulle.proxy.http;

import static java.util.Objects.requireNonNull;

/**
 * Why a stream ended before its message did.
 *
 * @param cause from a closed list; also a metric label
 * @param code HTTP/2 error code to tell an HTTP/2 peer
 */
public record Reset(Cause cause, long code) {
    /** We or the other leg gave the stream up. */
    public static final Reset CANCELLED = new Reset(Cause.CANCELLED, 8);
    /** The answer is complete, the rest of the request is not wanted. */
    public static final Reset NOT_NEEDED = new Reset(Cause.CANCELLED, 0);
    /** The connection under the stream ended. */
    public static final Reset LOST = new Reset(Cause.LOST, 2);
    /** A connection that others had used ended before any byte of the answer. */
    public static final Reset STALE = new Reset(Cause.STALE, 2);
    /** The peer certainly did nothing with the request. */
    public static final Reset UNPROCESSED = new Reset(Cause.UNPROCESSED, 7);
    /** The peer broke its protocol. */
    public static final Reset MALFORMED = new Reset(Cause.MALFORMED, 1);
    /** Too many bytes waited for a reader. */
    public static final Reset OVERFLOW = new Reset(Cause.CANCELLED, 11);
    /** Nothing moved for too long. */
    public static final Reset IDLE = new Reset(Cause.IDLE, 8);

    public Reset {
        requireNonNull(cause, "cause");
    }

    /** The peer reset the stream with this HTTP/2 error code. */
    public static Reset byPeer(long code) {
        return new Reset(Cause.PEER, code);
    }

    /** Where the end came from. */
    public enum Cause {
        CANCELLED,
        LOST,
        STALE,
        UNPROCESSED,
        MALFORMED,
        IDLE,
        PEER
    }
}
