package dev.tulle.controller.discovery;

import java.util.concurrent.atomic.LongAdder;

/** Counts what happens on all streams together. Safe for all threads. */
public final class StreamCounters {
    final LongAdder pushes = new LongAdder();
    final LongAdder nacks = new LongAdder();
    final LongAdder cut = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder certificates = new LongAdder();

    /** Messages sent to proxies. */
    public long pushes() {
        return pushes.sum();
    }

    /** Messages proxies could not use. */
    public long nacks() {
        return nacks.sum();
    }

    /** Streams ended by the controller because a limit was passed or a message could not be read. */
    public long cut() {
        return cut.sum();
    }

    /** Requests of proxies that were turned away. */
    public long refused() {
        return refused.sum();
    }

    /** Certificates given to proxies. */
    public long certificates() {
        return certificates.sum();
    }
}
