package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts of the traffic with one peer, one way.
 *
 * <p>Taken from {@link Meters#edge} once a connection and kept by it. Counting takes no lock and allocates nothing. Any thread.
 */
public final class EdgeMeter {
    /** What tells one edge from another. */
    record Key(Report.Direction direction, String peer, String service, String backend, boolean http, boolean mtls) {}

    private final Key key;
    final LongAdder requests = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder denied = new LongAdder();
    final AtomicLongArray latency = new AtomicLongArray(LatencyBuckets.count());

    EdgeMeter(Key key) {
        this.key = key;
    }

    /**
     * A request or an opaque connection has ended. Denied ones are told by {@link #denied} instead.
     *
     * @param failure an answer of 500 and above, a gRPC failure, a cut or failed connection
     * @param httpStatus of the answer; 0 for an opaque connection or when there was no answer
     * @param firstByteMicros from the request's head to the first byte of the answer, or until it failed; negative when unknown
     */
    public void ended(boolean failure, int httpStatus, long firstByteMicros) {
        requests.increment();
        if (failure) {
            failures.increment();
        }
        if (firstByteMicros >= 0) {
            latency.incrementAndGet(LatencyBuckets.indexOf(firstByteMicros));
        }
    }

    /**
     * A call was refused by policy, or would have been ({@link Report.Denial#audited()}).
     *
     * @param denial what the report shows of it; counted always, kept if it is among the newest
     */
    public void denied(Report.Denial denial) {
        if (!denial.audited()) {
            denied.increment();
        }
    }

    Key key() {
        return key;
    }
}
