package dev.tulle.proxy.upstream;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts something that may be under way only so many times at once. Any thread. */
public final class Counted {
    private final AtomicInteger now = new AtomicInteger();
    private final int most;

    public Counted(int most) {
        this.most = most;
    }

    /** Counts one more; false when there are too many, and then {@link #end} must not be called. */
    public boolean begin() {
        if (now.incrementAndGet() <= most) {
            return true;
        }
        now.decrementAndGet();
        return false;
    }

    public void end() {
        now.decrementAndGet();
    }
}
