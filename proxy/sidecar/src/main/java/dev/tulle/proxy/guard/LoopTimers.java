package dev.tulle.proxy.guard;

import dev.tulle.proxy.resilience.TimerWheel;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;

/** The timers of all calls of one event loop: one task of the loop for all, which runs only while there are timers. On that loop. */
final class LoopTimers implements Runnable {
    /** How late a timer may go off. */
    private static final long TICK_MILLIS = 5;

    private final EventLoop loop;
    private final TimerWheel wheel = new TimerWheel(TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS), System.nanoTime());
    private boolean running;

    LoopTimers(EventLoop loop) {
        this.loop = loop;
    }

    void set(TimerWheel.Timer timer, long dueNanos, long nowNanos) {
        wheel.set(timer, dueNanos, nowNanos);
        if (!running) {
            running = true;
            schedule();
        }
    }

    void cancel(TimerWheel.Timer timer) {
        wheel.cancel(timer);
    }

    @Override
    public void run() {
        wheel.advance(System.nanoTime());
        if (wheel.isEmpty()) {
            running = false;
        } else {
            schedule();
        }
    }

    private void schedule() {
        loop.schedule(this, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }
}
