package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts of the traffic with one peer, one way.
 *
 * <p>Taken from {@link Meters#edge} once a connection and kept by it. Counting takes no lock and allocates nothing. Any thread.
 */
public final class EdgeMeter {
    /** What tells one edge from another; see {@link Report.Edge}. */
    record Key(Report.Direction direction, String peer, String service, String backend, boolean http, boolean mtls) {}

    private final Key key;
    private final Meters meters;
    private final LongAdder requests = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder denied = new LongAdder();
    private final Latencies latencies = new Latencies();
    private final Told told = new Told();

    /** Time to the first byte, counted in the buckets of {@link LatencyBuckets}. */
    static final class Latencies {
        private final AtomicLongArray counts = new AtomicLongArray(LatencyBuckets.count());
        private final LongAdder sumMicros = new LongAdder();

        void count(long micros) {
            counts.incrementAndGet(LatencyBuckets.indexOf(micros));
            sumMicros.add(micros);
        }

        long inBucket(int index) {
            return counts.get(index);
        }

        long sumMicros() {
            return sumMicros.sum();
        }
    }

    /** What reports have told already. Touched by the reporting thread only. */
    private static final class Told {
        private long requests;
        private long failures;
        private long denied;
        private final long[] latency = new long[LatencyBuckets.count()];
    }

    EdgeMeter(Key key, Meters meters) {
        this.key = key;
        this.meters = meters;
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
            latencies.count(firstByteMicros);
        }
        if (key.http() && key.direction() == Report.Direction.INBOUND) {
            meters.served(failure, httpStatus, firstByteMicros);
        }
    }

    /**
     * A call was refused by policy, or would have been ({@link Report.Denial#audited()}; then its end is told by {@link #ended} too).
     *
     * @param denial what the report shows of it; counted always, kept while it is among the newest
     */
    public void denied(Report.Denial denial) {
        if (!denial.audited()) {
            denied.increment();
            if (key.http()) {
                meters.served(false, 403, -1);
            }
        }
        meters.denied(denial);
    }

    Key key() {
        return key;
    }

    long requests() {
        return requests.sum();
    }

    long failures() {
        return failures.sum();
    }

    Latencies latencies() {
        return latencies;
    }

    /** What happened since the last call, or empty when nothing did. One thread. */
    Optional<Report.Edge> drain() {
        long newRequests = requests.sum() - told.requests;
        long newFailures = failures.sum() - told.failures;
        long newDenied = denied.sum() - told.denied;
        List<Long> latency = new ArrayList<>();
        for (int i = 0; i < told.latency.length; i++) {
            long count = latencies.inBucket(i);
            if (count != told.latency[i]) {
                latency.add((long) i);
                latency.add(count - told.latency[i]);
                told.latency[i] = count;
            }
        }
        if (newRequests == 0 && newFailures == 0 && newDenied == 0 && latency.isEmpty()) {
            return Optional.empty();
        }
        told.requests += newRequests;
        told.failures += newFailures;
        told.denied += newDenied;
        return Optional.of(new Report.Edge(
                key.direction(),
                key.peer(),
                key.service(),
                key.backend(),
                key.http(),
                key.mtls(),
                newRequests,
                newFailures,
                newDenied,
                latency));
    }
}
