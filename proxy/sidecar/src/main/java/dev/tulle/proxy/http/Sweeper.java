package dev.tulle.proxy.http;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Looks after the time limits of all connections of one event loop: one timer for all, once a second.
 *
 * <p>A limit therefore bites up to a second late. Runs only while there is something to look after.
 */
public final class Sweeper implements Runnable {
    private static final long INTERVAL_MILLIS = 1000;

    private static final FastThreadLocal<@Nullable Sweeper> SWEEPERS = new FastThreadLocal<>();

    private final EventLoop loop;
    private final Set<Swept> all = new LinkedHashSet<>();
    private boolean running;

    private Sweeper(EventLoop loop) {
        this.loop = loop;
    }

    /** Something with time limits. */
    public interface Swept {
        /** Compares its times with {@code System.nanoTime()}; may remove itself. */
        void sweep(long now);
    }

    /** The sweeper of the loop that calls. */
    public static Sweeper of(EventLoop loop) {
        Sweeper sweeper = SWEEPERS.get();
        if (sweeper == null) {
            sweeper = new Sweeper(loop);
            SWEEPERS.set(sweeper);
        }
        return sweeper;
    }

    public void add(Swept swept) {
        all.add(swept);
        if (!running) {
            running = true;
            schedule();
        }
    }

    public void remove(Swept swept) {
        all.remove(swept);
    }

    @Override
    public void run() {
        long now = System.nanoTime();
        for (Swept swept : new ArrayList<>(all)) {
            swept.sweep(now);
        }
        if (all.isEmpty()) {
            running = false;
        } else {
            schedule();
        }
    }

    private void schedule() {
        loop.schedule(this, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }
}
