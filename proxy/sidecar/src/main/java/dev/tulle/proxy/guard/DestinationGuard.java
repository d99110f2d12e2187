package dev.tulle.proxy.guard;

import dev.tulle.proxy.http.RequestHead;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.resilience.FaultPlan;
import dev.tulle.proxy.resilience.GrpcTimeout;
import dev.tulle.proxy.resilience.RetryBudget;
import dev.tulle.proxy.resilience.RetryRule;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.telemetry.Act;
import dev.tulle.proxy.telemetry.ActMeter;
import dev.tulle.proxy.upstream.CallGuard;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The resilience of one destination on one event loop. */
public final class DestinationGuard {
    private final DestinationState state;
    private final LoopTimers timers;
    private final RetryBudget budget = new RetryBudget(System.nanoTime());
    private final Map<String, ClusterGuard> clusters = new HashMap<>();
    private Destination.Service of;
    private String ownZone;
    private Resilience policy;
    private boolean without;
    private @Nullable RetryRule retries;

    DestinationGuard(DestinationState state, LoopTimers timers, Destination.Service of, String ownZone) {
        this.state = state;
        this.timers = timers;
        this.of = of;
        this.ownZone = ownZone;
        this.policy = of.resilience();
        this.without = asksNothingOfACall(policy);
        this.retries = policy.retries().map(RetryRule::new).orElse(null);
    }

    /** Takes what is configured now; the same objects as before are the same config. */
    @SuppressWarnings("ReferenceEquality")
    void update(Destination.Service now, String zone) {
        if (now != of || !zone.equals(ownZone)) {
            of = now;
            ownZone = zone;
            policy = now.resilience();
            without = asksNothingOfACall(policy);
            retries = policy.retries().map(RetryRule::new).orElse(null);
            clusters.clear();
        }
    }

    /** Whether at most the choice of an endpoint is touched. */
    private static boolean asksNothingOfACall(Resilience policy) {
        return policy.timeouts().equals(Resilience.Timeouts.NONE)
                && policy.retries().isEmpty()
                && policy.capacity().equals(Resilience.Capacity.UNLIMITED)
                && policy.faults().isEmpty();
    }

    /**
     * What a call meets before it is sent.
     *
     * @param guard for its relay; null where nothing holds for it
     * @param refusal why it is not sent at all; null where it is
     */
    public record Admission(
            @Nullable CallGuard guard, @Nullable Refusal refusal) {
        private static final Admission FREE = new Admission(null, null);
    }

    /** An answer instead of the call; {@code reason} is its word, the sentence for people. */
    public record Refusal(int status, String reason, String sentence) {}

    /** Lets a call begin. */
    public Admission admit(RequestHead head, boolean http2) {
        String said = http2 ? head.fields().first("grpc-timeout") : null;
        if (without && said == null) {
            return Admission.FREE;
        }
        FaultPlan plan = state.faults();
        FaultPlan.Hit hit = plan == null ? FaultPlan.Hit.NONE : plan.next(System.currentTimeMillis());
        if (hit.abortStatus() != 0) {
            meter().count(Act.FAULT_ABORT);
            return new Admission(
                    null, new Refusal(hit.abortStatus(), "fault-abort", "a fault was asked for and hit this call"));
        }
        if (!state.requests().take()) {
            meter().count(Act.MAX_REQUESTS);
            return new Admission(
                    null, new Refusal(503, "max-requests", "as many calls are under way as the service allows"));
        }
        if (hit.delayMillis() > 0) {
            meter().count(Act.FAULT_DELAY);
        }
        if (retries != null) {
            budget.requested(System.nanoTime());
        }
        long deadline = said == null ? -1 : GrpcTimeout.nanos(said);
        return new Admission(
                new CallGuardian(
                        this, policy.timeouts(), retries, head.method(), deadline, hit.delayMillis(), head.isGrpc()),
                null);
    }

    /** Which endpoints of a cluster may be used; null where any may. */
    public @Nullable ClusterGuard cluster(Cluster cluster) {
        if (policy.ejection().isEmpty() && !policy.ownZoneFirst()) {
            return null;
        }
        return clusters.computeIfAbsent(
                cluster.name(),
                name -> new ClusterGuard(
                        cluster, state.ejections(name), meter(), policy.ownZoneFirst() ? ownZone : ""));
    }

    /** Connections that opaque bytes take; null where there is no limit. */
    public @Nullable Slots connections() {
        return policy.capacity().maxConnections() == 0 ? null : state.connections();
    }

    public ActMeter meter() {
        return state.meter();
    }

    DestinationState state() {
        return state;
    }

    LoopTimers timers() {
        return timers;
    }

    RetryBudget budget() {
        return budget;
    }
}
