package dev.tulle.controller.trust;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Does named pieces of work again and again, in their order, on one thread.
 *
 * <p>Objects are compared with what they should be on a clock, not on events: what was missed is seen the next time, and a piece that fails
 * is tried again without holding up the others. A failure is logged when it begins and when it ends.
 */
final class Upkeep implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Upkeep.class);
    private static final Duration SETTLE = Duration.ofMillis(50);
    private static final Duration STOP = Duration.ofSeconds(5);

    private final AtomicBoolean asked = new AtomicBoolean();
    private final ScheduledExecutorService thread;
    private final List<Piece> pieces;
    private final BooleanSupplier mayWork;
    private final Map<String, String> failing = new ConcurrentHashMap<>();

    /** One piece of work; its name stands in logs and problems. */
    record Piece(String name, Runnable work) {}

    /**
     * Begins at once.
     *
     * @param name of the thread
     * @param pieces in order
     * @param pause between the end of one round and the next
     * @param mayWork asked before each round, which is left out if not
     */
    Upkeep(String name, List<Piece> pieces, Duration pause, BooleanSupplier mayWork) {
        this.pieces = List.copyOf(pieces);
        this.mayWork = mayWork;
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread made = new Thread(task, name);
            made.setDaemon(true);
            return made;
        });
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(this::round, 0, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Asks for a round soon; many asks in a short time lead to one. From any thread. */
    void ask() {
        if (asked.compareAndSet(false, true)) {
            try {
                ScheduledFuture<?> unused = thread.schedule(
                        () -> {
                            asked.set(false);
                            round();
                        },
                        SETTLE.toMillis(),
                        TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("asked while stopping");
            }
        }
    }

    /** What failed the last time, and why. */
    SortedMap<String, String> failures() {
        return new TreeMap<>(failing);
    }

    private void round() {
        if (!mayWork.getAsBoolean()) {
            return;
        }
        for (Piece piece : pieces) {
            try {
                piece.work().run();
                if (failing.remove(piece.name()) != null) {
                    LOG.infof("works again piece=%s", piece.name());
                }
            } catch (RuntimeException e) {
                if (thread.isShutdown()) {
                    return;
                }
                String cause =
                        String.valueOf(e.getMessage()).lines().findFirst().orElse("");
                if (failing.put(piece.name(), cause) == null) {
                    LOG.errorf(e, "fails, tried again piece=%s", piece.name());
                }
            }
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("upkeep did not end in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
