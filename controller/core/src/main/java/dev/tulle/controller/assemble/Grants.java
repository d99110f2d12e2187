package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.smi.SmiKind;
import dev.tulle.smi.TCPRoute;
import dev.tulle.smi.TrafficTarget;
import dev.tulle.smi.TrafficTarget.Rule;
import dev.tulle.smi.TrafficTarget.RuleKind;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What the TrafficTargets let in, by the service account they name as destination.
 *
 * <p>Whatever a target refers to and is not there contributes nothing; nothing missing ever widens a grant.
 */
final class Grants {
    private final Problems problems;
    private final RouteGroups groups;
    private final Map<String, TCPRoute> tcpRoutes = new HashMap<>();
    private final Set<String> udpRoutes = new HashSet<>();
    private final Set<ServiceAccount> accounts;
    private final Map<ServiceAccount, List<Rules>> byDestination = new HashMap<>();
    private final Map<Wanted, Optional<List<Grant>>> made = new HashMap<>();

    /** A target with everything resolved but how paths are anchored, which is the destination's affair. */
    private record Rules(
            String target, List<SpiffeId> sources, Optional<List<Integer>> ports, Optional<List<GroupRule>> groups) {}

    private record Wanted(ServiceAccount destination, boolean fullPath) {}

    private record GroupRule(String group, List<String> matches) {}

    /**
     * @param accounts that are declared or that workloads run under
     * @param trustDomain of all sources
     */
    Grants(
            Resources resources,
            RouteGroups groups,
            Set<ServiceAccount> accounts,
            String trustDomain,
            Problems problems) {
        this.problems = problems;
        this.groups = groups;
        this.accounts = accounts;
        resources.tcpRoutes().forEach(route -> tcpRoutes.put(route.metadata().id(), route));
        resources.udpRoutes().forEach(route -> udpRoutes.add(route.metadata().id()));
        for (TrafficTarget target : resources.targets()) {
            ObjectRef ref = Resources.ref(target);
            if (!target.destination().namespace().equals(target.metadata().namespace())) {
                problems.error(
                        ref,
                        field(ref, "destination.namespace"),
                        "is '%s', but a TrafficTarget grants access only in its own namespace; create it in namespace %s"
                                .formatted(
                                        target.destination().namespace(),
                                        target.destination().namespace()),
                        "grants nothing");
                continue;
            }
            boolean onlyGuards = target.sources().isEmpty() && target.rules().isEmpty();
            Rules rules = onlyGuards ? nothing(target, List.of()) : resolve(ref, target, trustDomain);
            byDestination
                    .computeIfAbsent(target.destination(), account -> new ArrayList<>())
                    .add(rules);
        }
    }

    /** The grants of a service account, ordered by target; absent when no target names it. */
    Optional<List<Grant>> of(ServiceAccount destination, boolean fullPath) {
        return made.computeIfAbsent(
                new Wanted(destination, fullPath),
                wanted -> Optional.ofNullable(byDestination.get(destination))
                        .map(all -> all.stream()
                                .map(rules -> grant(rules, fullPath))
                                .toList()));
    }

    private Grant grant(Rules rules, boolean fullPath) {
        Optional<List<HttpMatch>> routes = rules.groups()
                .map(named -> named.stream()
                        .flatMap(rule -> groups.matches(rule.group(), rule.matches(), fullPath).stream())
                        .distinct()
                        .toList());
        return new Grant(rules.target(), rules.sources(), rules.ports(), routes);
    }

    private Rules resolve(ObjectRef ref, TrafficTarget target, String trustDomain) {
        if (!accounts.contains(target.destination())) {
            problems.missing(
                    Severity.INFO,
                    ref,
                    field(ref, "destination.name"),
                    "no workload runs under service account %s".formatted(text(target.destination())),
                    "it has nothing to protect yet",
                    account(target.destination()));
        }
        List<SpiffeId> sources = sources(ref, target, trustDomain);
        Optional<List<GroupRule>> groupRules = Optional.empty();
        Optional<SortedSet<Integer>> routePorts = Optional.empty();
        boolean anyPort = false;
        boolean tcp = false;
        for (int i = 0; i < target.rules().size(); i++) {
            Rule rule = target.rules().get(i);
            String id = target.metadata().namespace() + "/" + rule.name();
            String field = ruleField(ref, i);
            switch (rule.kind()) {
                case HTTP_ROUTE_GROUP -> {
                    tcp = true;
                    List<GroupRule> rules = new ArrayList<>(groupRules.orElse(List.of()));
                    usable(ref, field, id, rule).ifPresent(rules::add);
                    groupRules = Optional.of(rules);
                }
                case TCP_ROUTE -> {
                    tcp = true;
                    SortedSet<Integer> ports = routePorts.orElseGet(TreeSet::new);
                    TCPRoute route = tcpRoutes.get(id);
                    if (route == null) {
                        missing(ref, field, rule, id);
                    } else {
                        anyPort |= route.ports().isEmpty();
                        ports.addAll(route.ports());
                    }
                    routePorts = Optional.of(ports);
                }
                case UDP_ROUTE -> {
                    if (!udpRoutes.contains(id)) {
                        missing(ref, field, rule, id);
                    }
                    problems.info(
                            ref, field, "UDPRoute %s says nothing about TCP".formatted(id), "this rule has no effect");
                }
            }
        }
        if (!tcp) {
            // Only UDP, or nothing at all: absent conditions must not read as "everything".
            return new Rules(target.metadata().id(), sources, Optional.of(List.of()), Optional.of(List.of()));
        }
        Optional<List<Integer>> ports = ports(ref, target.port(), anyPort ? Optional.empty() : routePorts);
        return new Rules(target.metadata().id(), sources, ports, groupRules);
    }

    private static Rules nothing(TrafficTarget target, List<SpiffeId> sources) {
        return new Rules(target.metadata().id(), sources, Optional.of(List.of()), Optional.of(List.of()));
    }

    private List<SpiffeId> sources(ObjectRef ref, TrafficTarget target, String trustDomain) {
        SortedSet<SpiffeId> sources = new TreeSet<>();
        for (int i = 0; i < target.sources().size(); i++) {
            ServiceAccount source = target.sources().get(i);
            String field =
                    problems.asWritten(ref, "spec.sources[%d].name".formatted(i), "sources[%d].name".formatted(i));
            try {
                sources.add(new SpiffeId(trustDomain, source.namespace(), source.name()));
            } catch (IllegalArgumentException e) {
                problems.error(ref, field, String.valueOf(e.getMessage()), "this source is left out");
                continue;
            }
            if (!accounts.contains(source)) {
                problems.missing(
                        Severity.INFO,
                        ref,
                        field,
                        "no workload runs under service account %s".formatted(text(source)),
                        "nobody calls under this name yet",
                        account(source));
            }
        }
        return List.copyOf(sources);
    }

    /** The group and those of its named entries that are there; empty when nothing of it can be used. */
    private Optional<GroupRule> usable(ObjectRef ref, String field, String id, Rule rule) {
        if (!groups.has(id)) {
            missing(ref, field, rule, id);
            return Optional.empty();
        }
        List<String> named = new ArrayList<>();
        for (String match : rule.matches()) {
            if (groups.has(id, match)) {
                named.add(match);
            } else {
                problems.error(
                        ref,
                        field,
                        "HTTPRouteGroup %s has no match '%s'; it has %s"
                                .formatted(id, match, String.join(", ", groups.names(id))),
                        "that name grants nothing, the others hold");
            }
        }
        return named.isEmpty() && !rule.matches().isEmpty() ? Optional.empty() : Optional.of(new GroupRule(id, named));
    }

    /** Ports of all TCPRoutes AND the target's own port. */
    private Optional<List<Integer>> ports(ObjectRef ref, Optional<Integer> own, Optional<SortedSet<Integer>> routes) {
        if (own.isEmpty()) {
            return routes.map(List::copyOf);
        }
        if (routes.isPresent() && !routes.get().isEmpty() && !routes.get().contains(own.get())) {
            problems.warning(
                    ref,
                    field(ref, "destination.port"),
                    "port %d is not among those of its TCPRoutes (%s), and both must hold; remove one of them"
                            .formatted(own.get(), join(routes.get())),
                    "grants nothing");
        }
        return Optional.of(routes.isEmpty() || routes.get().contains(own.get()) ? List.of(own.get()) : List.of());
    }

    private void missing(ObjectRef ref, String field, Rule rule, String id) {
        SmiKind kind = rule.kind().refersTo();
        problems.missing(
                Severity.ERROR,
                ref,
                field,
                "there is no %s %s; make it or correct the name".formatted(kind.kind(), id),
                rule.kind() == RuleKind.UDP_ROUTE
                        ? "this rule has no effect"
                        : "this rule grants nothing, the others hold",
                new ObjectRef(kind.kind(), ref.namespace(), rule.name()));
    }

    private static ObjectRef account(ServiceAccount account) {
        return new ObjectRef("ServiceAccount", account.namespace(), account.name());
    }

    private String field(ObjectRef ref, String name) {
        return problems.asWritten(ref, "spec." + name, name);
    }

    /** {@code specs} is what v1alpha1 calls {@code spec.rules}. */
    private String ruleField(ObjectRef ref, int index) {
        return problems.asWritten(ref, "spec.rules[%d]".formatted(index), "specs[%d]".formatted(index));
    }

    private static String text(ServiceAccount account) {
        return account.namespace() + "/" + account.name();
    }

    private static String join(SortedSet<Integer> ports) {
        return String.join(", ", ports.stream().map(String::valueOf).toList());
    }
}
