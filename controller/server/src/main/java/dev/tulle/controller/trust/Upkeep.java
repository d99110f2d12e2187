package dev.tulle.controller.trust;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Does named pieces of work again and again, in their order, on one thread.
 *
 * <p>Objects are compared with what they should be on a clock, not on events: what was missed is seen the next time, and a piece that fails
 * is tried again without holding up the others. A failure is logged when it begins and when it ends.
 */
final class Upkeep implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Upkeep.class);
    private static final Duration STOP = Duration.ofSeconds(5);

    private final ScheduledExecutorService thread;
    private final List<Piece> pieces;
    private final Map<String, String> failing = new ConcurrentHashMap<>();

    /** One piece of work; its name stands in logs and problems. */
    record Piece(String name, Runnable work) {}

    /**
     * Begins at once.
     *
     * @param name of the thread
     * @param pieces in order
     * @param pause between the end of one round and the next
     */
    Upkeep(String name, List<Piece> pieces, Duration pause) {
        this.pieces = List.copyOf(pieces);
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread made = new Thread(task, name);
            made.setDaemon(true);
            return made;
        });
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(this::round, 0, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Why a piece of work failed the last time; empty when it did not. */
    Optional<String> failure(String piece) {
        return Optional.ofNullable(failing.get(piece));
    }

    /** Names of what failed the last time. */
    List<String> failures() {
        return failing.keySet().stream().sorted().toList();
    }

    private void round() {
        for (Piece piece : pieces) {
            try {
                piece.work().run();
                if (failing.remove(piece.name()) != null) {
                    LOG.infof("works again piece=%s", piece.name());
                }
            } catch (RuntimeException e) {
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
