package dev.tulle.proxy.resilience;

import dev.tulle.proxy.model.RateLimit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How often each caller may ask: a token bucket each.
 *
 * <p>A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371), so that asking
 * takes no lock. The table of callers is bounded: those whose bucket is full are forgotten when it is; if none is, further callers
 * share one bucket. Times are nanoseconds of a monotonic clock. Thread-safe.
 */
public final class SourceRates {
    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final long SWEEP_NANOS = 1_000_000_000;

    private final long interval;
    private final long tolerance;
    private final int maxSources;
    private final Runnable overflowing;
    private final Map<String, AtomicLong> fullAt = new ConcurrentHashMap<>();
    private final AtomicLong othersFullAt;
    private final AtomicLong swept;

    /**
     * Full buckets for everyone.
     *
     * @param maxSources callers with a bucket of their own
     * @param overflowing told each time that a caller has none
     */
    public SourceRates(RateLimit limit, int maxSources, Runnable overflowing, long nowNanos) {
        this.interval = Math.max(1, limit.perMillis() * NANOS_PER_MILLI / limit.requests());
        this.tolerance = (limit.burst() - 1) > Long.MAX_VALUE / 4 / interval
                ? Long.MAX_VALUE / 4
                : (limit.burst() - 1) * interval;
        this.maxSources = maxSources;
        this.overflowing = overflowing;
        this.othersFullAt = new AtomicLong(nowNanos);
        this.swept = new AtomicLong(nowNanos - SWEEP_NANOS);
    }

    /**
     * Asks for one call.
     *
     * @return 0 when it may pass, which takes a token; else nanoseconds until it may
     */
    public long ask(String source, long nowNanos) {
        AtomicLong bucket = fullAt.get(source);
        return take(bucket == null ? newBucket(source, nowNanos) : bucket, nowNanos);
    }

    /** Callers that have a bucket of their own now. */
    public int sources() {
        return fullAt.size();
    }

    private long take(AtomicLong bucket, long nowNanos) {
        while (true) {
            long full = bucket.get();
            long ahead = Math.max(0, full - nowNanos);
            if (ahead > tolerance) {
                return ahead - tolerance;
            }
            if (bucket.compareAndSet(full, nowNanos + ahead + interval)) {
                return 0;
            }
        }
    }

    private AtomicLong newBucket(String source, long nowNanos) {
        if (fullAt.size() >= maxSources) {
            long before = swept.get();
            if (nowNanos - before >= SWEEP_NANOS && swept.compareAndSet(before, nowNanos)) {
                fullAt.values().removeIf(full -> full.get() - nowNanos <= 0);
            }
            if (fullAt.size() >= maxSources) {
                overflowing.run();
                return othersFullAt;
            }
        }
        return fullAt.computeIfAbsent(source, key -> new AtomicLong(nowNanos));
    }
}
