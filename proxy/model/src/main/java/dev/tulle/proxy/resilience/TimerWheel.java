package dev.tulle.proxy.resilience;

import org.jspecify.annotations.Nullable;

/**
 * Many timers of which few go off: setting and taking back costs the same however many there are.
 *
 * <p>A ring of slots of one tick each; whoever owns the wheel calls {@link #advance} about once a tick while it is not empty. A timer
 * goes off at its time or up to a tick later, never sooner. Times are nanoseconds of a monotonic clock. Not thread-safe.
 * Source: hashed timing wheels, Varghese and Lauck 1987.
 */
public final class TimerWheel {
    private static final int SLOTS = 512;

    private final long tickNanos;
    private final Timer[] heads = new Timer[SLOTS];
    private long passed;
    private int size;

    /** Something that may go off; belongs to one wheel. */
    public abstract static class Timer {
        private @Nullable Timer before;
        private @Nullable Timer after;
        private long dueNanos;
        private boolean set;

        /** Its time has come; it may be set again. */
        protected abstract void due();

        /** Whether it will go off. */
        public final boolean isSet() {
            return set;
        }
    }

    /** Stands at the head of a slot. */
    private static final class Head extends Timer {
        @Override
        protected void due() {
            throw new IllegalStateException("the head of a slot is never set");
        }
    }

    /** @param tickNanos how late a timer may go off at most */
    public TimerWheel(long tickNanos, long nowNanos) {
        this.tickNanos = tickNanos;
        this.passed = nowNanos;
        for (int i = 0; i < SLOTS; i++) {
            heads[i] = new Head();
        }
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** Sets a timer, or sets it anew. */
    public void set(Timer timer, long dueNanos, long nowNanos) {
        cancel(timer);
        if (size == 0) {
            passed = nowNanos;
        }
        timer.dueNanos = dueNanos;
        timer.set = true;
        size++;
        // Never into the slot that was passed last, where it would be found a whole turn later.
        insert(timer, Math.max(dueNanos, passed + tickNanos));
    }

    /** Takes a timer back; nothing happens when it is not set. */
    public void cancel(Timer timer) {
        if (timer.set) {
            timer.set = false;
            size--;
            remove(timer);
        }
    }

    /** Lets everything go off whose time has come. */
    public void advance(long nowNanos) {
        long ticks = Math.min(SLOTS, Math.floorDiv(nowNanos, tickNanos) - Math.floorDiv(passed, tickNanos));
        long first = Math.floorDiv(nowNanos, tickNanos) - ticks + 1;
        passed = nowNanos;
        for (long tick = first; tick < first + ticks; tick++) {
            Timer head = heads[Math.floorMod(tick, SLOTS)];
            Timer next = head.after;
            while (next != null) {
                Timer timer = next;
                next = timer.after;
                if (timer.dueNanos - nowNanos <= 0) {
                    cancel(timer);
                    timer.due();
                    // Whatever that took away may have been the next one: begin again.
                    next = head.after;
                }
            }
        }
    }

    /** A timer is looked at in the first tick that begins at its time or later. */
    private void insert(Timer timer, long atNanos) {
        Timer head = heads[Math.floorMod(Math.floorDiv(atNanos + tickNanos - 1, tickNanos), SLOTS)];
        Timer second = head.after;
        timer.before = head;
        timer.after = second;
        head.after = timer;
        if (second != null) {
            second.before = timer;
        }
    }

    private static void remove(Timer timer) {
        Timer before = timer.before;
        Timer after = timer.after;
        if (before != null) {
            before.after = after;
        }
        if (after != null) {
            after.before = before;
        }
        timer.before = null;
        timer.after = null;
    }
}
