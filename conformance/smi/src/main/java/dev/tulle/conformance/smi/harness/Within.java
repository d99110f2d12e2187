package dev.tulle.conformance.smi.harness;

import java.time.Duration;

/** Waiting with named limits. */
public final class Within {
    /** For a configuration to be live once its object can be read: what the published suite grants. */
    public static final Duration LIVE = Duration.ofSeconds(5);

    /** For pods to be ready: pulling an image and starting a proxy included. */
    public static final Duration START = Duration.ofMinutes(3);

    /** For what the API server itself does: an object that is gone, a namespace's service account. */
    public static final Duration OBJECT = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofMillis(50);

    private Within() {}

    /** Repeats {@code check} until it throws nothing, and says how long that took; after {@code limit} its last words are thrown. */
    public static Duration eventually(Duration limit, String what, Check check) {
        long started = System.nanoTime();
        while (true) {
            try {
                check.run();
                return Duration.ofNanos(System.nanoTime() - started);
            } catch (Exception | AssertionError e) {
                if (System.nanoTime() - started > limit.toNanos()) {
                    throw new AssertionError(
                            "not within %d ms: %s: %s".formatted(limit.toMillis(), what, e.getMessage()), e);
                }
            }
            sleep(PAUSE);
        }
    }

    /** {@link #eventually} within {@link #LIVE}. */
    public static Duration live(String what, Check check) {
        return eventually(LIVE, what, check);
    }

    /** Waits as long as a configuration may take, as the published suite does before each check of traffic. */
    public static void pass(Duration time) {
        sleep(time);
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the run was ended", e);
        }
    }

    /** Throws unless all is as it should be. */
    @FunctionalInterface
    public interface Check {
        void run() throws Exception;
    }
}
