package dev.tulle.proxy.identity;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Growing pauses between attempts: each twice the one before, up to a bound, half of it by chance. Not safe for threads. */
public final class Backoff {
    private final Duration least;
    private final Duration most;
    private final RandomGenerator random;
    private int failures;

    public Backoff(Duration least, Duration most, RandomGenerator random) {
        this.least = least;
        this.most = most;
        this.random = random;
    }

    /** The pause before the next attempt; each call counts as one more failure. */
    public Duration next() {
        long full = least.toNanos();
        for (int i = 0; i < failures && full < most.toNanos(); i++) {
            full *= 2;
        }
        failures++;
        long bounded = Math.min(full, most.toNanos());
        return Duration.ofNanos(bounded / 2 + random.nextLong(bounded / 2 + 1));
    }

    /** An attempt went through. */
    public void reset() {
        failures = 0;
    }
}
