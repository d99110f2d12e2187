package dev.tulle.proxy.resilience;

/**
 * Keeps repetitions from making an overload worse: in any ten seconds at most a fifth as many as there were requests, and beside
 * these {@value #FLOOR_PER_SECOND} a second.
 *
 * <p>Times are nanoseconds of a monotonic clock. Not thread-safe: one for each destination and event loop. The window is made of
 * whole seconds, so it is nine to ten of them long. Source: the retry budgets of Finagle.
 */
public final class RetryBudget {
    /** Of so many requests one may be repeated. */
    static final int REQUESTS_PER_RETRY = 5;

    static final int FLOOR_PER_SECOND = 10;
    private static final int SLOTS = 10;
    private static final long SLOT_NANOS = 1_000_000_000;

    private final long begun;
    private final long[] requests = new long[SLOTS];
    private final long[] retries = new long[SLOTS];
    private long requestSum;
    private long retrySum;
    private long slot;
    private double floor = FLOOR_PER_SECOND;
    private long floorStamp;

    public RetryBudget(long nowNanos) {
        this.begun = nowNanos;
        this.floorStamp = nowNanos;
    }

    /** A request was sent for the first time. */
    public void requested(long nowNanos) {
        advance(nowNanos);
        requests[index()]++;
        requestSum++;
    }

    /** Whether one more may be repeated now; it counts as repeated then. */
    public boolean take(long nowNanos) {
        advance(nowNanos);
        if ((retrySum + 1) * REQUESTS_PER_RETRY <= requestSum) {
            retries[index()]++;
            retrySum++;
            return true;
        }
        floor = Math.min(FLOOR_PER_SECOND, floor + (double) (nowNanos - floorStamp) * FLOOR_PER_SECOND / SLOT_NANOS);
        floorStamp = nowNanos;
        if (floor < 1) {
            return false;
        }
        floor--;
        return true;
    }

    private int index() {
        return (int) (slot % SLOTS);
    }

    private void advance(long nowNanos) {
        long current = Math.max(slot, (nowNanos - begun) / SLOT_NANOS);
        for (long left = Math.min(SLOTS, current - slot), next = slot + 1; left > 0; left--, next++) {
            int old = (int) (next % SLOTS);
            requestSum -= requests[old];
            retrySum -= retries[old];
            requests[old] = 0;
            retries[old] = 0;
        }
        slot = current;
    }
}
