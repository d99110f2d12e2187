package dev.tulle.controller.discovery;

import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.RootRotation;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** For which proxies a rotation of the root still waits. Pure. */
public final class RotationProgress {
    /** How long a proxy that is away is waited for before the new root signs; it can still come back later. */
    public static final Duration ABSENCE = Duration.ofMinutes(2);

    private RotationProgress() {}

    /**
     * The workloads whose proxies have not yet done what the present phase waits for.
     *
     * <p>Before the new root signs, every proxy that is here must have taken the bundle with both. Before the old one is dropped,
     * no living leaf may hang on it: a proxy that is away is waited for until its leaf has ended, or its Workload is deleted.
     * A controller that has just begun knows of no proxy: one that it has not heard of may be on its way back, and is away.
     *
     * @param workloads those of the mesh
     * @param proxies what is known of them since {@code started}
     * @param leafLife longest life of a leaf
     */
    public static SortedSet<WorkloadId> waitingFor(
            AuthorityState state,
            Collection<WorkloadId> workloads,
            Map<WorkloadId, ProxyStatus> proxies,
            Instant started,
            Duration leafLife,
            Instant now) {
        SortedSet<WorkloadId> waiting = new TreeSet<>();
        for (WorkloadId workload : workloads) {
            ProxyStatus proxy = proxies.get(workload);
            boolean wait = switch (state.rotation()) {
                case RootRotation.Settled settled -> false;
                case RootRotation.Trusting trusting ->
                    proxy == null ? now.isBefore(started.plus(ABSENCE)) : lacksBundle(proxy, state.trust(), now);
                case RootRotation.Signing signing ->
                    proxy == null
                            ? now.isBefore(earlier(started, signing.since()).plus(leafLife))
                            : lacksNewLeaf(proxy, state, now);
            };
            if (wait) {
                waiting.add(workload);
            }
        }
        return waiting;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private static boolean lacksBundle(ProxyStatus proxy, TrustBundle bundle, Instant now) {
        boolean has = proxy.trust()
                .filter(taken -> taken.anchors().containsAll(bundle.anchors()))
                .isPresent();
        return !has && (proxy.connected() || now.isBefore(proxy.seen().plus(ABSENCE)));
    }

    private static boolean lacksNewLeaf(ProxyStatus proxy, AuthorityState state, Instant now) {
        boolean has = proxy.issuer().equals(state.issuer().id());
        return !has && (proxy.connected() || now.isBefore(proxy.leafEnds()));
    }
}
