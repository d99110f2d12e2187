package dev.tulle.controller.report;

import dev.tulle.proxy.model.LatencyBuckets;
import java.time.Duration;
import java.util.List;

/** Counts of requests and their latencies over some seconds; grows by adding others. Used on one thread at a time. */
public final class Tally {
    private long requests;
    private long failures;
    private long denied;
    private double seconds;
    private final long[] latency = new long[LatencyBuckets.count()];

    void add(long moreRequests, long moreFailures, long moreDenied, List<Long> pairs) {
        requests += moreRequests;
        failures += moreFailures;
        denied += moreDenied;
        for (int i = 0; i < pairs.size(); i += 2) {
            latency[Math.toIntExact(pairs.get(i))] += pairs.get(i + 1);
        }
    }

    /** Adds what another one counted in the same time: numbers add up, the time is the longer one. */
    public Tally plus(Tally other) {
        Tally sum = new Tally();
        sum.absorb(this);
        sum.absorb(other);
        return sum;
    }

    void absorb(Tally other) {
        requests += other.requests;
        failures += other.failures;
        denied += other.denied;
        seconds = Math.max(seconds, other.seconds);
        for (int i = 0; i < latency.length; i++) {
            latency[i] += other.latency[i];
        }
    }

    Tally over(Duration time) {
        seconds = time.toMillis() / 1000.0;
        return this;
    }

    /** Requests that were answered, denied ones not among them. */
    public long requests() {
        return requests;
    }

    public long failures() {
        return failures;
    }

    public long denied() {
        return denied;
    }

    /** Requests a second. */
    public double rate() {
        return seconds <= 0 ? 0 : requests / seconds;
    }

    /** Denied requests a second. */
    public double deniedRate() {
        return seconds <= 0 ? 0 : denied / seconds;
    }

    /** Share of requests that did not fail, 0 to 1; NaN when there were none. */
    public double success() {
        return requests == 0 ? Double.NaN : Math.max(0, requests - failures) / (double) requests;
    }

    /** A latency quantile in milliseconds; NaN when none was counted. */
    public double quantileMillis(double quantile) {
        long counted = 0;
        for (long count : latency) {
            counted += count;
        }
        return counted == 0 ? Double.NaN : LatencyBuckets.quantileMicros(latency, quantile) / 1000;
    }
}
