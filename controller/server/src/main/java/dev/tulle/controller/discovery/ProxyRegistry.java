package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** What is known of every proxy since the controller's start. Safe for all threads; holds one entry a workload of the mesh. */
public final class ProxyRegistry {
    private final Map<WorkloadId, ProxyStatus> proxies = new ConcurrentHashMap<>();

    /** What is known now, by workload. */
    public SortedMap<WorkloadId, ProxyStatus> statuses() {
        return new TreeMap<>(proxies);
    }

    public Optional<ProxyStatus> status(WorkloadId workload) {
        return Optional.ofNullable(proxies.get(workload));
    }

    void enrolled(WorkloadId workload, Instant now, Instant leafEnds, String issuer, TrustBundle trust) {
        proxies.compute(
                workload,
                (id, before) -> before != null && before.connected()
                        ? before
                        : ProxyStatus.enrolled(id, now, leafEnds, issuer, trust));
    }

    void update(ProxyStatus status) {
        proxies.put(status.workload(), status);
    }

    void disconnected(WorkloadId workload, Instant now) {
        proxies.computeIfPresent(workload, (id, before) -> before.disconnected(now));
    }

    void forget(WorkloadId workload) {
        proxies.remove(workload);
    }

    /** Forgets proxies of workloads that are gone. */
    void retain(Collection<WorkloadId> workloads) {
        proxies.keySet().removeIf(Predicate.not(workloads::contains));
    }
}
