package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/** Counts what each workload was given in the last minute. Safe for all threads; forgets a workload after a quiet minute. */
final class RateLimit {
    private static final Duration WINDOW = Duration.ofMinutes(1);

    private final int perMinute;
    private final Map<WorkloadId, ArrayDeque<Instant>> given = new HashMap<>();

    RateLimit(int perMinute) {
        this.perMinute = perMinute;
    }

    /** Whether one more is within the limit; if so it counts. */
    synchronized boolean admit(WorkloadId workload, Instant now) {
        Instant from = now.minus(WINDOW);
        given.values().removeIf(times -> {
            while (!times.isEmpty() && times.getFirst().isBefore(from)) {
                times.removeFirst();
            }
            return times.isEmpty();
        });
        ArrayDeque<Instant> times = given.computeIfAbsent(workload, id -> new ArrayDeque<>());
        if (times.size() >= perMinute) {
            return false;
        }
        times.addLast(now);
        return true;
    }
}
