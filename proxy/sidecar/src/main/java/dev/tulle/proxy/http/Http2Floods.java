package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import java.time.Duration;

/**
 * Counts, on one HTTP/2 connection, the frames that cost the receiver more than the sender.
 *
 * <p>Resets count where requests come in, both ways and whatever their code, for a peer can make us send them too; a stream that
 * ended well makes up for one. Where we are the client every stream is our own doing, and many callers may share the connection:
 * there they do not count. A PING is free after a frame of a stream, in either direction: senders measure their windows with it.
 * Beyond a limit: GOAWAY with ENHANCE_YOUR_CALM. Source: CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-55163.
 */
final class Http2Floods {
    private final boolean server;
    private final Window resets;
    private final Window controls;
    private final int maxEmptyData;
    private int emptyData;
    private boolean freePing;

    Http2Floods(boolean server, Limits.Http2 limits) {
        this.server = server;
        this.resets = new Window(limits.maxResets(), limits.resetWindow());
        this.controls = new Window(limits.maxControlFrames(), limits.controlWindow());
        this.maxEmptyData = limits.maxEmptyDataFrames();
    }

    /** So many in one stretch of time; a new stretch begins when one has passed. */
    private static final class Window {
        private final int most;
        private final long nanos;
        private long begun;
        private int count;

        Window(int most, Duration length) {
            this.most = most;
            this.nanos = length.toNanos();
        }

        boolean isTooMany() {
            long now = System.nanoTime();
            if (count == 0 || now - begun > nanos) {
                begun = now;
                count = 0;
            }
            return ++count > most;
        }

        void makeUp() {
            count = Math.max(0, count - 1);
        }
    }

    /** A frame that carries messages went either way. */
    void message() {
        freePing = true;
    }

    /** A DATA frame came. */
    void data(boolean empty) throws Http2Violation {
        if (!empty) {
            emptyData = 0;
            freePing = true;
        } else if (++emptyData > maxEmptyData) {
            throw Http2Violation.tooMuch("max_empty_data_frames", "too many empty DATA frames");
        }
    }

    void control() throws Http2Violation {
        if (controls.isTooMany()) {
            throw Http2Violation.tooMuch("max_control_frames", "too many control frames");
        }
    }

    void ping() throws Http2Violation {
        if (freePing) {
            freePing = false;
        } else {
            control();
        }
    }

    /** A stream was reset before it was answered. */
    void resetRead() throws Http2Violation {
        if (isTooManyResets()) {
            throw Http2Violation.tooMuch("max_resets", "too many resets");
        }
    }

    /** We reset a stream; returns whether the peer has made us do so too often. */
    boolean isTooManyResets() {
        return server && resets.isTooMany();
    }

    /** A stream came to its end on both sides. */
    void endedWell() {
        resets.makeUp();
    }
}
