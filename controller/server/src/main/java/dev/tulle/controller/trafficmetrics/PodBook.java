package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The meshed pods there are, and for a while those that are gone: what they reported last still counts for whoever made them.
 *
 * <p>Safe for all threads.
 */
public final class PodBook {
    /** How long one that is gone is remembered; longer than the numbers reach back. */
    static final Duration REMEMBERED = Duration.ofMinutes(2);

    private final Clock clock;
    private Map<WorkloadId, Entry> entries = new HashMap<>();

    public PodBook(Clock clock) {
        this.clock = requireNonNull(clock, "clock");
    }

    /**
     * A pod.
     *
     * @param gone since when it is; absent while it is there
     */
    record Entry(WorkloadResource workload, Optional<Instant> gone) {
        Entry {
            requireNonNull(workload, "workload");
            requireNonNull(gone, "gone");
        }

        WorkloadResource.Pod pod() {
            return workload.pod().orElseThrow();
        }

        boolean isThere() {
            return gone.isEmpty();
        }
    }

    /** Takes over what there is now. */
    public synchronized void take(Resources resources) {
        Instant now = clock.instant();
        Map<WorkloadId, Entry> next = new HashMap<>();
        entries.forEach((id, entry) -> {
            Instant gone = entry.gone().orElse(now);
            if (gone.plus(REMEMBERED).isAfter(now)) {
                next.put(id, new Entry(entry.workload(), Optional.of(gone)));
            }
        });
        resources.workloads().stream()
                .filter(workload -> workload.pod().filter(pod -> pod.meshed()).isPresent())
                .forEach(workload -> next.put(workload.id(), new Entry(workload, Optional.empty())));
        entries = next;
    }

    /** All that are known now. */
    synchronized Map<WorkloadId, Entry> pods() {
        return Map.copyOf(entries);
    }
}
