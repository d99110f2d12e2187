package dev.tulle.proxy.http;

import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Refuses headers behind the end of their stream, where Netty's decoder is laxer than the standard.
 *
 * <p>Streams that we have reset are excepted: what the peer sent before it heard of it may still come. Source: RFC 9113, 5.1 and
 * 5.1.1.
 */
final class Http2StreamOrder {
    /** Resets of ours that are remembered; the oldest is forgotten first. */
    private static final int MAX_REMEMBERED = 256;

    private final Http2Connection connection;
    private final Set<Integer> reset = new LinkedHashSet<>();

    Http2StreamOrder(Http2Connection connection) {
        this.connection = connection;
    }

    void resetSent(int streamId) {
        reset.add(streamId);
        if (reset.size() > MAX_REMEMBERED) {
            Iterator<Integer> oldest = reset.iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** Headers have come. */
    void check(int streamId) throws Http2Exception {
        Http2Stream stream = connection.stream(streamId);
        if (stream == null) {
            if (connection.isServer()
                    && connection.remote().isValidStreamId(streamId)
                    && streamId <= connection.remote().lastStreamCreated()
                    && !reset.contains(streamId)) {
                throw Http2Exception.connectionError(
                        Http2Error.STREAM_CLOSED, "headers of stream %d, which has ended", streamId);
            }
        } else if (stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE && !stream.isResetSent()) {
            throw Http2Exception.streamError(
                    streamId, Http2Error.STREAM_CLOSED, "headers of stream %d, whose sender has ended it", streamId);
        }
    }
}
