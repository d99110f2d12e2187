package dev.tulle.controller.lint;

import dev.tulle.controller.model.Workload;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.smi.HTTPRouteGroup;
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
import java.util.TreeSet;
import java.util.stream.Collectors;

/** TrafficTargets that grant less or more than they look, or nothing. Source: SMI TrafficTarget v1alpha3. */
final class TargetRules {
    private final World world;
    private final Findings findings;
    private final Map<String, TCPRoute> tcpRoutes = new HashMap<>();
    private final Map<String, HTTPRouteGroup> groups = new HashMap<>();

    TargetRules(World world, Findings findings) {
        this.world = world;
        this.findings = findings;
        world.resources()
                .tcpRoutes()
                .forEach(route -> tcpRoutes.put(route.metadata().id(), route));
        world.resources()
                .routeGroups()
                .forEach(group -> groups.put(group.metadata().id(), group));
    }

    void check() {
        for (TrafficTarget target : world.resources().targets()) {
            if (!target.destination().namespace().equals(target.metadata().namespace())) {
                continue;
            }
            ObjectRef ref = Resources.ref(target);
            unmeshed(ref, target);
            ports(ref, target);
            udp(ref, target);
            catchAll(ref, target);
        }
        Set<ServiceAccount> destinations = new HashSet<>();
        world.resources().targets().forEach(target -> destinations.add(target.destination()));
        destinations.forEach(this::widened);
    }

    private String rule(ObjectRef ref, int index) {
        return findings.asWritten(ref, "spec.rules[%d]".formatted(index), "specs[%d]".formatted(index));
    }

    /** Whoever has no proxy enforces nothing, and has no identity to be granted anything by. */
    private void unmeshed(ObjectRef ref, TrafficTarget target) {
        List<WorkloadResource> called = world.runningUnder(target.destination());
        if (!called.isEmpty() && called.stream().noneMatch(WorkloadResource::meshed)) {
            findings.error(
                    "unmeshed",
                    ref,
                    findings.asWritten(ref, "spec.destination.name", "destination.name"),
                    "no pod under service account %s has a proxy, such as %s"
                            .formatted(
                                    text(target.destination()),
                                    called.getFirst().ref()),
                    "nobody enforces it",
                    "label the namespace tulle.dev/inject=enabled, and restart them");
        }
        for (int i = 0; i < target.sources().size(); i++) {
            List<WorkloadResource> callers = world.runningUnder(target.sources().get(i));
            if (!callers.isEmpty() && callers.stream().noneMatch(WorkloadResource::meshed)) {
                findings.warning(
                        "unmeshed",
                        ref,
                        findings.asWritten(ref, "spec.sources[%d].name".formatted(i), "sources[%d].name".formatted(i)),
                        "no pod under service account %s has a proxy, such as %s"
                                .formatted(
                                        text(target.sources().get(i)),
                                        callers.getFirst().ref()),
                        "they call without identity, so this grants them nothing",
                        "label their namespace tulle.dev/inject=enabled, and restart them");
            }
        }
    }

    /** Ports that nothing behind the destination answers on; where nothing is declared nothing is known. */
    private void ports(ObjectRef ref, TrafficTarget target) {
        List<Workload> called = world.meshedUnder(target.destination());
        Set<Integer> known = new TreeSet<>();
        for (Workload workload : called) {
            if (workload.inbound().isEmpty()) {
                return;
            }
            for (InboundPort port : workload.inbound()) {
                known.add(port.port());
                known.addAll(port.servicePorts());
            }
        }
        if (known.isEmpty()) {
            return;
        }
        String there = known.stream().map(String::valueOf).collect(Collectors.joining(", "));
        for (int i = 0; i < target.rules().size(); i++) {
            Rule rule = target.rules().get(i);
            TCPRoute route = tcpRoutes.get(target.metadata().namespace() + "/" + rule.name());
            if (rule.kind() != RuleKind.TCP_ROUTE || route == null) {
                continue;
            }
            List<String> strange = route.ports().stream()
                    .filter(port -> !known.contains(port))
                    .map(String::valueOf)
                    .toList();
            if (!strange.isEmpty()) {
                findings.warning(
                        "port-nobody-has",
                        ref,
                        rule(ref, i),
                        "TCPRoute %s has port %s, on which nothing under service account %s is known to listen"
                                .formatted(
                                        route.metadata().id(), String.join(", ", strange), text(target.destination())),
                        "that grants nothing",
                        "write one of %s, or declare the port in a Service or a container".formatted(there));
            }
        }
        target.port()
                .filter(port -> !known.contains(port))
                .ifPresent(port -> findings.warning(
                        "port-nobody-has",
                        ref,
                        findings.asWritten(ref, "spec.destination.port", "destination.port"),
                        "nothing under service account %s is known to listen on port %d"
                                .formatted(text(target.destination()), port),
                        "that grants nothing",
                        "write one of %s, or declare the port in a Service or a container".formatted(there)));
    }

    private void udp(ObjectRef ref, TrafficTarget target) {
        boolean onlyUdp = !target.rules().isEmpty()
                && target.rules().stream().allMatch(rule -> rule.kind() == RuleKind.UDP_ROUTE);
        for (int i = 0; i < target.rules().size(); i++) {
            if (target.rules().get(i).kind() == RuleKind.UDP_ROUTE) {
                findings.warning(
                        "udp-not-enforced",
                        ref,
                        rule(ref, i),
                        "UDP does not pass the proxies, so a UDPRoute is enforced by nobody",
                        onlyUdp ? "the target grants nothing, and closes what it names" : "this rule has no effect",
                        "remove the rule; write a TCPRoute or an HTTPRouteGroup for what goes over TCP");
            }
        }
    }

    /** A rule that names no entry means all of them, and one of them is everything. */
    private void catchAll(ObjectRef ref, TrafficTarget target) {
        for (int i = 0; i < target.rules().size(); i++) {
            Rule rule = target.rules().get(i);
            HTTPRouteGroup group = groups.get(target.metadata().namespace() + "/" + rule.name());
            if (rule.kind() != RuleKind.HTTP_ROUTE_GROUP || group == null) {
                continue;
            }
            List<HTTPRouteGroup.Match> named = group.matches().stream()
                    .filter(match -> rule.matches().isEmpty() || rule.matches().contains(match.name()))
                    .toList();
            Optional<HTTPRouteGroup.Match> everything =
                    named.stream().filter(TargetRules::isEverything).findFirst();
            if (everything.isPresent() && !named.stream().allMatch(TargetRules::isEverything)) {
                findings.warning(
                        "widened",
                        ref,
                        rule(ref, i),
                        "entry '%s' of HTTPRouteGroup %s means every request%s"
                                .formatted(
                                        everything.get().name(),
                                        group.metadata().id(),
                                        rule.matches().isEmpty()
                                                ? ", and a rule without 'matches' means every entry"
                                                : ""),
                        "the narrower entries beside it narrow nothing",
                        "name the entries that are meant in 'matches'");
            }
        }
    }

    private static boolean isEverything(HTTPRouteGroup.Match match) {
        return match.methods().isEmpty()
                && match.headers().isEmpty()
                && match.pathRegex().map(RouteRules::isEveryPath).orElse(true);
    }

    /** A target without HTTPRouteGroups lets whole connections in, also the requests that another one chooses from. */
    private void widened(ServiceAccount destination) {
        List<Workload> called = world.meshedUnder(destination);
        if (called.isEmpty()) {
            return;
        }
        List<Grant> grants = called.getFirst().access().policy().grants();
        for (Grant open : grants) {
            if (open.routes().isPresent() || open.ports().filter(List::isEmpty).isPresent()) {
                continue;
            }
            Set<String> narrowed = new TreeSet<>();
            Set<String> callers = new TreeSet<>();
            for (Grant narrow : grants) {
                Set<SpiffeId> shared = new TreeSet<>(narrow.sources());
                shared.retainAll(open.sources());
                if (narrow.routes().filter(routes -> !routes.isEmpty()).isPresent()
                        && !shared.isEmpty()
                        && meet(open, narrow, called)) {
                    narrowed.add(narrow.target());
                    shared.forEach(caller -> callers.add(caller.namespace() + "/" + caller.serviceAccount()));
                }
            }
            if (!narrowed.isEmpty()) {
                String namespace = destination.namespace();
                findings.warning(
                        "widened",
                        new ObjectRef("TrafficTarget", namespace, open.target().substring(namespace.length() + 1)),
                        "spec.rules",
                        "names no HTTPRouteGroup, so it lets every request of %s in, also those that TrafficTarget %s chooses from"
                                .formatted(String.join(", ", callers), String.join(", ", narrowed)),
                        "the routes of the other narrow nothing for them",
                        "name an HTTPRouteGroup here too, or take %s out of its sources"
                                .formatted(String.join(", ", callers)));
            }
        }
    }

    /** Whether two grants speak of one port that carries requests. A port that only one of them names says nothing by itself. */
    private static boolean meet(Grant open, Grant narrow, List<Workload> called) {
        if (open.ports().isEmpty()) {
            return true;
        }
        List<Integer> ports = open.ports().get();
        if (narrow.ports().isPresent()) {
            return narrow.ports().get().stream().anyMatch(ports::contains);
        }
        List<InboundPort> all = new ArrayList<>();
        called.forEach(workload -> all.addAll(workload.inbound()));
        List<InboundPort> opened = all.stream()
                .filter(port -> ports.contains(port.port())
                        || port.servicePorts().stream().anyMatch(ports::contains))
                .toList();
        boolean elsewhere = all.stream().anyMatch(port -> !opened.contains(port) && port.protocol() != Protocol.TCP);
        return opened.stream()
                .anyMatch(port -> port.protocol() == Protocol.HTTP
                        || port.protocol() == Protocol.GRPC
                        || (port.protocol() == Protocol.DETECT && !elsewhere));
    }

    private static String text(ServiceAccount account) {
        return account.namespace() + "/" + account.name();
    }
}
