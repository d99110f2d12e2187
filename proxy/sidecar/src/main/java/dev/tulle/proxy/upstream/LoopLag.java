package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/**
 * Notices when an event loop was held up: by a call that blocks, a long collection, or a processor that others had.
 *
 * <p>A task that should run every {@link #EVERY_MILLIS} looks how late it is. Beyond {@link #ALARM_MILLIS} that is counted as
 * {@code tulle_limit_hits_total{limit="loop_lag"}} and told, at most once in {@link #SAY_EVERY_SECONDS} a loop. On its loop.
 */
final class LoopLag implements Runnable {
    static final long EVERY_MILLIS = 200;
    static final long ALARM_MILLIS = 100;
    private static final long SAY_EVERY_SECONDS = 10;

    private final EventLoop loop;
    private final Meters meters;
    private final Log log;
    private long due;
    private long silentUntil = System.nanoTime();
    private int unsaid;

    private LoopLag(EventLoop loop, Meters meters, Log log) {
        this.loop = loop;
        this.meters = meters;
        this.log = log;
    }

    /** Watches a loop until it ends. */
    static void watch(EventLoop loop, Meters meters, Log log) {
        new LoopLag(loop, meters, log).again();
    }

    @Override
    public void run() {
        long now = System.nanoTime();
        long lateMillis = TimeUnit.NANOSECONDS.toMillis(now - due);
        if (lateMillis > ALARM_MILLIS) {
            meters.limitHit("loop_lag");
            if (now - silentUntil >= 0) {
                log.warn("an event loop was held up", "milliseconds", lateMillis, "others", unsaid);
                silentUntil = now + TimeUnit.SECONDS.toNanos(SAY_EVERY_SECONDS);
                unsaid = 0;
            } else {
                unsaid++;
            }
        }
        if (!loop.isShuttingDown()) {
            again();
        }
    }

    private void again() {
        due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(EVERY_MILLIS);
        loop.schedule(this, EVERY_MILLIS, TimeUnit.MILLISECONDS);
    }
}
