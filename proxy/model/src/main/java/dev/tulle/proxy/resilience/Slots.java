package dev.tulle.proxy.resilience;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts something that may be under way only so often at once; the limit may change meanwhile. Thread-safe. */
public final class Slots {
    private final AtomicInteger taken = new AtomicInteger();
    private volatile int most;

    /** So many from now on; 0 is no limit. */
    public void limit(int newMost) {
        most = newMost;
    }

    /** The limit; 0 is none. */
    public int most() {
        return most;
    }

    /** Takes one; false when all are taken, and then {@link #give} must not be called. */
    public boolean take() {
        int now = taken.incrementAndGet();
        int limit = most;
        if (limit == 0 || now <= limit) {
            return true;
        }
        taken.decrementAndGet();
        return false;
    }

    /** Gives one back. */
    public void give() {
        taken.decrementAndGet();
    }

    /** How many are taken now. */
    public int taken() {
        return taken.get();
    }
}
