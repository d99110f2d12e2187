package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** Which workloads may be sent traffic, by what their proxies said. Pure. */
public final class Readiness {
    /** How long after the controller's start a workload counts as ready that was not heard of: a restart removes nobody. */
    public static final Duration START_GRACE = Duration.ofSeconds(30);

    /** How long a proxy may be away before its workload counts as gone: time enough for a new connection. */
    public static final Duration RECONNECT_GRACE = Duration.ofSeconds(2);

    private Readiness() {}

    /**
     * The workloads that are known not to be ready.
     *
     * @param started when the controller began to serve
     */
    public static SortedSet<WorkloadId> unready(
            Collection<WorkloadId> workloads, Map<WorkloadId, ProxyStatus> proxies, Instant started, Instant now) {
        SortedSet<WorkloadId> unready = new TreeSet<>();
        for (WorkloadId workload : workloads) {
            ProxyStatus proxy = proxies.get(workload);
            boolean ready;
            if (proxy == null || proxy.instance().isEmpty()) {
                ready = now.isBefore(started.plus(START_GRACE));
            } else {
                ready = isReady(proxy, now);
            }
            if (!ready) {
                unready.add(workload);
            }
        }
        return unready;
    }

    private static boolean isReady(ProxyStatus proxy, Instant now) {
        boolean here = proxy.connected() || now.isBefore(proxy.since().plus(RECONNECT_GRACE));
        return here && proxy.health().map(ProxyStatus.Health::ready).orElse(false);
    }
}
