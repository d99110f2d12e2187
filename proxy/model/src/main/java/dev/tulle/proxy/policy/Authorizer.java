package dev.tulle.proxy.policy;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPolicy.Access;
import dev.tulle.proxy.model.InboundPolicy.Unmeshed;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Decides who may call one workload.
 *
 * <p>A call passes a closed workload when one grant as a whole allows it: the caller is among its sources AND the port among its
 * ports AND the request meets one of its routes, as far as it restricts these. Immutable; safe for all threads.
 * Source: SMI access v1alpha3, TrafficTarget.
 */
public final class Authorizer {
    private static final Verdict ALLOW_OPEN = new Verdict.Allow(Verdict.Allow.OPEN);
    private static final Verdict ALLOW_UNMESHED = new Verdict.Allow(Verdict.Allow.UNMESHED);
    private static final Verdict ALLOW_SAME_IDENTITY = new Verdict.Allow(Verdict.Allow.SAME_IDENTITY);
    private static final Verdict DENY_WITHOUT_POLICY = new Verdict.Deny(
            Reason.NO_POLICY, "this proxy has not got its rules yet: look whether it reaches its controller");

    /** Absent before the first config. */
    private final Optional<WorkloadConfig> config;

    private final InboundPolicy policy;
    private final List<GrantRule> rules;
    private final Map<SpiffeId, List<GrantRule>> rulesBySource;
    private final Map<Integer, List<Integer>> portNumbers;
    private final List<String> problems;

    private Authorizer(Optional<WorkloadConfig> config) {
        this.config = config;
        this.policy = config.map(WorkloadConfig::policy).orElse(InboundPolicy.NOBODY);
        List<String> problems = new ArrayList<>();
        this.rules = policy.grants().stream()
                .map(grant -> new GrantRule(grant, problems::add))
                .toList();
        Map<SpiffeId, List<GrantRule>> rulesBySource = new HashMap<>();
        for (GrantRule rule : rules) {
            for (SpiffeId source : rule.sources()) {
                rulesBySource.computeIfAbsent(source, any -> new ArrayList<>()).add(rule);
            }
        }
        this.rulesBySource = rulesBySource;
        this.portNumbers = portNumbersOf(config.map(WorkloadConfig::inbound).orElse(List.of()));
        this.problems = List.copyOf(problems);
    }

    /** The rules of a workload, compiled. */
    public static Authorizer of(WorkloadConfig config) {
        return new Authorizer(Optional.of(config));
    }

    /** What a proxy enforces before its first config: denies every call with {@link Reason#NO_POLICY}. */
    public static Authorizer withoutPolicy() {
        return new Authorizer(Optional.empty());
    }

    /** The verdict on a call. */
    public Verdict judge(Caller caller, InboundCall call) {
        return rulesFor(caller, call.port()).judge(call);
    }

    /**
     * What concerns one caller at one port, picked out once: a connection asks it for each of its requests, as long as this
     * authorizer is in force.
     */
    public CallerRules rulesFor(Caller caller, int port) {
        if (config.isEmpty()) {
            return CallerRules.always(DENY_WITHOUT_POLICY);
        }
        if (caller.identity().isEmpty()) {
            return CallerRules.always(judgeUnmeshed());
        }
        if (policy.access() == Access.OPEN) {
            return CallerRules.always(ALLOW_OPEN);
        }
        SpiffeId identity = caller.identity().get();
        if (policy.sameIdentity() && identity.equals(config.get().identity())) {
            return CallerRules.always(ALLOW_SAME_IDENTITY);
        }
        List<Integer> numbers = portNumbers(port);
        // Grants whose sources do not hold the caller cannot allow it, nor can those of other ports.
        List<GrantRule> candidates = rulesBySource.getOrDefault(identity, List.of()).stream()
                .filter(rule -> rule.coversPort(numbers))
                .toList();
        return CallerRules.of(candidates, call -> refused(caller, call));
    }

    /** What each TrafficTarget says of a call, in the policy's order; from the very predicates that {@link #judge} asks. */
    public List<GrantOutcome> explain(Caller caller, InboundCall call) {
        List<Integer> numbers = portNumbers(call.port());
        return rules.stream().map(rule -> rule.outcome(caller, call, numbers)).toList();
    }

    /** What of the policy cannot be used, one sentence each that names the object and the cure. */
    public List<String> problems() {
        return problems;
    }

    private Verdict judgeUnmeshed() {
        if (policy.unmeshed() == Unmeshed.DENY) {
            // Not a question of grants: an audit of grants does not let it pass.
            return new Verdict.Deny(
                    Reason.UNMESHED_DENIED,
                    Words.printable(
                            "%s takes no calls in plain text (tulle.dev/unmeshed: deny): give the caller a sidecar"
                                    .formatted(workload())));
        }
        if (policy.unmeshed() == Unmeshed.ALWAYS) {
            return ALLOW_UNMESHED;
        }
        if (policy.access() == Access.OPEN) {
            return ALLOW_OPEN;
        }
        return closed(
                Reason.NO_IDENTITY,
                "%s is closed and the caller has no identity: give the caller a sidecar, or set tulle.dev/unmeshed: always"
                        .formatted(workload()));
    }

    /** The refusal of a call that no grant allows: its reason is that of the grant which came nearest to allowing it. */
    private Verdict refused(Caller caller, InboundCall call) {
        List<Integer> numbers = portNumbers(call.port());
        Reason reason = Reason.NO_GRANT;
        Optional<GrantRule> nearest = Optional.empty();
        for (GrantRule rule : rules) {
            Reason failing = rule.failing(caller, call, numbers);
            if (failing != null && failing.compareTo(reason) > 0) {
                reason = failing;
                nearest = Optional.of(rule);
            }
        }
        String refused = "no TrafficTarget lets %s call port %d of %s%s"
                .formatted(
                        caller.identity().map(SpiffeId::uri).orElse(""),
                        call.port(),
                        workload(),
                        reason == Reason.NOT_HTTP ? " without HTTP" : "");
        String cure = nearest.map(rule -> "the nearest one, %s, allows %s".formatted(rule.target(), rule.allowed()))
                .or(() -> rules.stream()
                        .filter(rule -> rule.failingFor(call, numbers) == null)
                        .findFirst()
                        .map(rule -> "add it to the sources of " + rule.target()))
                .orElse("write one that names it as a source");
        return closed(reason, refused + "; " + cure);
    }

    /** What follows when a call has no grant. */
    private Verdict closed(Reason reason, String detail) {
        String words = Words.printable(detail);
        return policy.access() == Access.AUDIT ? new Verdict.Audit(reason, words) : new Verdict.Deny(reason, words);
    }

    private String workload() {
        return config.map(known -> known.workload().toString()).orElse("");
    }

    private List<Integer> portNumbers(int port) {
        List<Integer> numbers = portNumbers.get(port);
        return numbers == null ? List.of(port) : numbers;
    }

    /** By which numbers rules may name each port: its own and those of the Services that lead to it. */
    private static Map<Integer, List<Integer>> portNumbersOf(List<InboundPort> ports) {
        Map<Integer, List<Integer>> numbers = new HashMap<>();
        for (InboundPort port : ports) {
            TreeSet<Integer> names = new TreeSet<>(port.servicePorts());
            names.add(port.port());
            numbers.putIfAbsent(port.port(), List.copyOf(names));
        }
        return numbers;
    }
}
