package dev.tulle.proxy.resilience;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Hits an exact share of all calls, spread evenly: of 10 % every tenth, whichever thread it comes on.
 *
 * <p>Not by chance, so that an experiment hits as many calls as it says, small numbers too. Thread-safe.
 */
public final class EvenShare {
    private static final long MILLION = 1_000_000;

    private final long perMillion;
    private final AtomicLong calls = new AtomicLong();

    /** @param perMillion 0 to 1,000,000 */
    public EvenShare(int perMillion) {
        if (perMillion < 0 || perMillion > MILLION) {
            throw new IllegalArgumentException("share is %d of a million".formatted(perMillion));
        }
        this.perMillion = perMillion;
    }

    /** Whether the next call is hit. */
    public boolean next() {
        long before = calls.getAndIncrement() % MILLION;
        return (before + 1) * perMillion / MILLION > before * perMillion / MILLION;
    }
}
