package dev.tulle.proxy.policy;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one workload as they concern one caller at one port.
 *
 * <p>Immutable; safe for all threads. Valid as long as the {@link Authorizer} that gave it is in force.
 */
public final class CallerRules {
    /** The verdict that does not depend on what is called; null where it does. */
    private final @Nullable Verdict always;

    private final List<GrantRule> candidates;
    private final Function<InboundCall, Verdict> refused;

    private CallerRules(@Nullable Verdict always, List<GrantRule> candidates, Function<InboundCall, Verdict> refused) {
        this.always = always;
        this.candidates = candidates;
        this.refused = refused;
    }

    static CallerRules always(Verdict verdict) {
        return new CallerRules(verdict, List.of(), call -> verdict);
    }

    /**
     * Rules of which each may allow the call.
     *
     * @param candidates name the caller among their sources and the port among their ports
     * @param refused the verdict on what none of them allows
     */
    static CallerRules of(List<GrantRule> candidates, Function<InboundCall, Verdict> refused) {
        boolean whole = !candidates.isEmpty() && candidates.get(0).takesEverything();
        return new CallerRules(whole ? candidates.get(0).allow() : null, candidates, refused);
    }

    /** The verdict that holds whatever is called; null where it depends on the request. */
    public @Nullable Verdict always() {
        return always;
    }

    /** The verdict on a call of this caller at this port. */
    public Verdict judge(InboundCall call) {
        if (always != null) {
            return always;
        }
        // An index, since this runs for every request: no iterator.
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.get(i).failingAtItsPorts(call) == null) {
                return candidates.get(i).allow();
            }
        }
        return refused.apply(call);
    }
}
