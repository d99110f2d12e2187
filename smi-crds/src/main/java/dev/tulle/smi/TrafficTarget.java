package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * Who may call the workloads of one service account, and how (SMI access v1alpha3).
 *
 * @param destination whose workloads may be called; its namespace may differ from the target's own, which the spec leaves open
 * @param port the one port that is granted, in addition to what the rules ask for; absent restricts no port. v1alpha1 and v1alpha2 have
 *     it, v1alpha3 takes it as a number or as text
 * @param sources who may call; empty grants nobody
 * @param rules empty grants nothing
 */
public record TrafficTarget(
        SmiMetadata metadata,
        ServiceAccount destination,
        Optional<Integer> port,
        List<ServiceAccount> sources,
        List<Rule> rules)
        implements SmiObject {
    public TrafficTarget {
        requireNonNull(metadata, "metadata");
        requireNonNull(destination, "destination");
        port.ifPresent(Ports::requirePort);
        sources = List.copyOf(sources);
        rules = List.copyOf(rules);
    }

    @Override
    public SmiKind kind() {
        return SmiKind.TRAFFIC_TARGET;
    }

    /**
     * A service account.
     *
     * @param namespace the target's namespace where the document names none
     */
    public record ServiceAccount(String namespace, String name) {
        public ServiceAccount {
            requireNonNull(namespace, "namespace");
            requireNonNull(name, "name");
        }
    }

    /**
     * A reference to routes that may be called, in the target's namespace.
     *
     * @param matches names of entries of an HTTPRouteGroup; empty means every entry (absent and empty are one: Go clients drop empty lists)
     */
    public record Rule(RuleKind kind, String name, List<String> matches) {
        public Rule {
            requireNonNull(kind, "kind");
            requireNonNull(name, "name");
            matches = List.copyOf(matches);
        }
    }

    /** What a rule can refer to. */
    public enum RuleKind {
        HTTP_ROUTE_GROUP(SmiKind.HTTP_ROUTE_GROUP),
        TCP_ROUTE(SmiKind.TCP_ROUTE),
        /** Legal, and without effect on TCP: nobody enforces UDP. */
        UDP_ROUTE(SmiKind.UDP_ROUTE);

        private final SmiKind refersTo;

        RuleKind(SmiKind refersTo) {
            this.refersTo = refersTo;
        }

        /** The kind of the object referred to. */
        public SmiKind refersTo() {
            return refersTo;
        }
    }
}
