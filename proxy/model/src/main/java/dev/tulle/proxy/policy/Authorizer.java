package dev.tulle.proxy.policy;

import dev.tulle.proxy.model.WorkloadConfig;
import java.util.List;

/** Decides who may call one workload. Immutable; safe for all threads. */
public final class Authorizer {
    private Authorizer() {}

    /** The rules of a workload, compiled. */
    public static Authorizer of(WorkloadConfig config) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** What a proxy enforces before its first config: denies every call with {@link Reason#NO_POLICY}. */
    public static Authorizer withoutPolicy() {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The verdict on a call. */
    public Verdict judge(Caller caller, InboundCall call) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** What each TrafficTarget says of a call, in the policy's order; from the very predicates that {@link #judge} asks. */
    public List<GrantOutcome> explain(Caller caller, InboundCall call) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** What of the policy cannot be used, one sentence each that names the object and the cure. */
    public List<String> problems() {
        return dev.tulle.proxy.model.Pending.body();
    }
}
