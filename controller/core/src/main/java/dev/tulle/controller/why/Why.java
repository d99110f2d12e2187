package dev.tulle.controller.why;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toSet;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.model.WorkloadAccess;
import dev.tulle.controller.translate.ProxyConfigs;
import dev.tulle.controller.why.Names.Callee;
import dev.tulle.controller.why.WhyAnswer.BackendAnswer;
import dev.tulle.controller.why.WhyAnswer.GrantAnswer;
import dev.tulle.controller.why.WhyAnswer.Outcome;
import dev.tulle.proxy.match.HttpCall;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.policy.Authorizer;
import dev.tulle.proxy.policy.Caller;
import dev.tulle.proxy.policy.InboundCall;
import dev.tulle.proxy.policy.Reason;
import dev.tulle.proxy.policy.Verdict;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import dev.tulle.proxy.routing.RouteTable;
import dev.tulle.proxy.routing.RoutingTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Explains what would become of a call, with the very code by which proxies decide it. */
public final class Why {
    private static final WorkloadId ASKER = new WorkloadId("tulle-system", "why");

    private final Mesh mesh;
    private final WhyQuestion question;
    private final Caller caller;

    private Why(Mesh mesh, WhyQuestion question, Caller caller) {
        this.mesh = mesh;
        this.question = question;
        this.caller = caller;
    }

    /** The answer; names that are not there give one whose outcome is {@link WhyAnswer.Outcome#UNKNOWN}, never an exception. */
    public static WhyAnswer ask(Mesh mesh, WhyQuestion question) {
        Names names = new Names(mesh);
        try {
            Why why = new Why(mesh, question, new Caller(names.caller(question.from())));
            return switch (names.callee(question.to())) {
                case Callee.OfService(Service service) -> why.ofService(service);
                case Callee.OfWorkloads(String name, List<Workload> workloads) -> why.ofWorkloads(name, workloads);
            };
        } catch (Names.Unknown e) {
            return new WhyAnswer(Outcome.UNKNOWN, String.valueOf(e.getMessage()), "", "", "", "", List.of());
        }
    }

    /** A request as the proxy would see it. */
    private record SeenRequest(AskedRequest asked, String path) implements HttpCall {
        @Override
        public String method() {
            return asked.method();
        }

        @Override
        public List<String> values(String lowerCaseName) {
            return asked.headers().getOrDefault(lowerCaseName, List.of());
        }

        @Override
        public String toString() {
            return method() + " " + path;
        }
    }

    /** Where the call may end: endpoints of one cluster (or named outright), with the port of each. */
    private record End(String cluster, long weight, Workload workload, InboundPort port) {}

    /** What ends that answer alike have in common. */
    private record Alike(String cluster, SpiffeId identity, WorkloadAccess access, int port, Protocol protocol) {
        static Alike of(End end) {
            return new Alike(
                    end.cluster(),
                    end.workload().identity(),
                    end.workload().access(),
                    end.port().port(),
                    end.port().protocol());
        }
    }

    private WhyAnswer ofService(Service service) throws Names.Unknown {
        ServicePort port = chosen(service);
        String called = service.name() + ":" + port.port();
        return seen(asked(port.protocol()), called, request -> {
            if (caller.identity().isEmpty()) {
                String reason = "a caller without a proxy is not split: it goes to the Service itself";
                return answer(called, "", reason, ends(service.name(), port.endpoints(), 1), request);
            }
            DestinationTable table = table(service.name(), port.port());
            RouteTable route = request.<RouteTable>map(table::routeFor).orElseGet(table::tcpRoute);
            List<End> ends = new ArrayList<>();
            for (int i = 0; i < route.clusters().size(); i++) {
                ends.addAll(ends(
                        route.clusters().get(i), port.port(), route.weights().get(i)));
            }
            return answer(called, route.route().name(), routeReason(port, route.route()), ends, request);
        });
    }

    private WhyAnswer ofWorkloads(String name, List<Workload> workloads) throws Names.Unknown {
        int number = chosen(name, workloads);
        List<End> ends = new ArrayList<>();
        for (Workload workload : workloads) {
            inbound(workload, number).ifPresent(port -> ends.add(new End("", 1, workload, port)));
        }
        String called = name + ":" + number;
        return seen(
                asked(ends.getFirst().port().protocol()),
                called,
                request -> answer(called, "", "asked of the workload itself", ends, request));
    }

    /** The answer for the request in the form a proxy sees, or that no proxy would take it. */
    private WhyAnswer seen(
            Optional<AskedRequest> asked, String called, Function<Optional<SeenRequest>, WhyAnswer> answer) {
        if (asked.isEmpty()) {
            return answer.apply(Optional.empty());
        }
        return switch (PathNormalizer.normalize(asked.get().target())) {
            case NormalizedPath.Normal(String target, String path) ->
                answer.apply(Optional.of(new SeenRequest(asked.get(), path)));
            case NormalizedPath.Refused(NormalizedPath.Reason reason) ->
                new WhyAnswer(
                        Outcome.MALFORMED,
                        "a proxy answers 400 to the path '%s': %s"
                                .formatted(asked.get().target(), reason.wireName()),
                        callerName(),
                        called,
                        "",
                        "",
                        List.of());
        };
    }

    private ServicePort chosen(Service service) throws Names.Unknown {
        if (question.port().isPresent()) {
            int wanted = question.port().get();
            return service.port(wanted)
                    .orElseThrow(() -> new Names.Unknown("service %s has no port %d; it has %s"
                            .formatted(service.name(), wanted, numbers(service))));
        }
        if (service.ports().size() != 1) {
            throw new Names.Unknown(
                    service.ports().isEmpty()
                            ? "service %s has no ports".formatted(service.name())
                            : "service %s has ports %s: say which".formatted(service.name(), numbers(service)));
        }
        return service.ports().getFirst();
    }

    private static String numbers(Service service) {
        return service.ports().stream()
                .map(port -> Integer.toString(port.port()))
                .collect(Collectors.joining(", "));
    }

    /** The port that is asked about: the given one, or the one that all have. */
    private int chosen(String name, List<Workload> workloads) throws Names.Unknown {
        List<Integer> known = workloads.stream()
                .flatMap(workload -> workload.inbound().stream())
                .map(InboundPort::port)
                .distinct()
                .sorted()
                .toList();
        if (question.port().isPresent()) {
            int wanted = question.port().get();
            if (workloads.stream()
                    .noneMatch(workload -> inbound(workload, wanted).isPresent())) {
                throw new Names.Unknown("%s has no port %d; it has %s".formatted(name, wanted, known));
            }
            return wanted;
        }
        if (known.size() != 1) {
            throw new Names.Unknown(
                    known.isEmpty()
                            ? "%s has no ports".formatted(name)
                            : "%s has ports %s: say which".formatted(name, known));
        }
        return known.getFirst();
    }

    /** The port of that number, which may also be the number of a Service port that leads to it. */
    private static Optional<InboundPort> inbound(Workload workload, int number) {
        return workload.inbound().stream()
                .filter(port -> port.port() == number)
                .findFirst()
                .or(() -> workload.inbound().stream()
                        .filter(port -> port.servicePorts().contains(number))
                        .findFirst());
    }

    /** What is sent: nothing readable on a TCP port; {@code GET /} on an HTTP port when nothing was said. */
    private Optional<AskedRequest> asked(Protocol protocol) {
        return switch (protocol) {
            case TCP -> Optional.empty();
            case DETECT -> question.request();
            case HTTP, GRPC -> question.request().or(() -> Optional.of(AskedRequest.of("GET", "/")));
        };
    }

    /** The destination as a proxy holds it. */
    private DestinationTable table(ServiceName service, int port) {
        DestinationKey key = new DestinationKey.ServicePort(service.namespace(), service.name(), port);
        Destination destination = ProxyConfigs.destination(mesh, ASKER, key);
        WorkloadConfig asker = new WorkloadConfig(
                ASKER,
                ASKER.name(),
                new SpiffeId(mesh.trustDomain(), ASKER.namespace(), ASKER.name()),
                List.of(),
                List.of(),
                InboundPolicy.NOBODY,
                mesh.networks(),
                Optional.empty());
        TrustBundle nobody = new TrustBundle(mesh.trustDomain(), List.of(), "");
        return RoutingTable.of(new ProxyConfig(0, asker, List.of(destination), nobody))
                .destination(key)
                .orElseThrow();
    }

    private List<End> ends(Cluster cluster, int port, long weight) {
        int slash = cluster.name().indexOf('/');
        ServiceName name = new ServiceName(
                cluster.name().substring(0, slash), cluster.name().substring(slash + 1));
        Set<HostPort> used = cluster.endpoints().stream().map(Endpoint::address).collect(toSet());
        List<ServiceEndpoint> endpoints = mesh.service(name).flatMap(service -> service.port(port)).stream()
                .flatMap(found -> found.endpoints().stream())
                .filter(endpoint -> used.contains(endpoint.address()))
                .toList();
        return ends(name, endpoints, weight);
    }

    private List<End> ends(ServiceName cluster, List<ServiceEndpoint> endpoints, long weight) {
        List<End> ends = new ArrayList<>();
        for (ServiceEndpoint endpoint : endpoints) {
            endpoint.workload()
                    .flatMap(mesh::workload)
                    .flatMap(workload -> inbound(workload, endpoint.port())
                            .map(port -> new End(cluster.toString(), weight, workload, port)))
                    .ifPresent(ends::add);
        }
        return ends;
    }

    private static String routeReason(ServicePort port, Route route) {
        if (route.matches().isPresent()) {
            return "TrafficSplit %s takes it: one of its matches holds".formatted(route.name());
        }
        if (!route.name().isEmpty()) {
            return "TrafficSplit %s takes everything that no split with matches takes".formatted(route.name());
        }
        return port.splits().isEmpty() ? "no TrafficSplit covers the port" : "no match of a TrafficSplit holds";
    }

    private WhyAnswer answer(
            String called, String route, String routeReason, List<End> ends, Optional<SeenRequest> request) {
        Map<Alike, List<End>> groups = ends.stream().collect(groupingBy(Alike::of, LinkedHashMap::new, toList()));
        List<BackendAnswer> backends = new ArrayList<>();
        groups.values().forEach(group -> backends.add(backend(group, request)));
        Outcome outcome = outcome(backends);
        String what = request.map(SeenRequest::toString).orElse("a connection");
        String summary = switch (outcome) {
            case NO_ENDPOINTS -> "%s is answered with 503: nothing is ready behind %s".formatted(what, called);
            case PARTLY ->
                "%s from %s to %s depends on where it ends: some backends let it in, others refuse it"
                        .formatted(what, callerName(), called);
            default -> summary(outcome, what, called, backends);
        };
        return new WhyAnswer(outcome, summary, callerName(), called, route, routeReason, backends);
    }

    private String summary(Outcome outcome, String what, String called, List<BackendAnswer> backends) {
        String verb = switch (outcome) {
            case ALLOWED -> "passes";
            case AUDITED -> "passes, but only because access is audited";
            default -> "is refused";
        };
        String why = backends.stream()
                .filter(backend -> outcome != Outcome.AUDITED || backend.audited())
                .findFirst()
                .map(BackendAnswer::detail)
                .orElse("");
        return "%s from %s to %s %s: %s".formatted(what, callerName(), called, verb, why);
    }

    private static Outcome outcome(List<BackendAnswer> backends) {
        if (backends.isEmpty()) {
            return Outcome.NO_ENDPOINTS;
        }
        long allowed = backends.stream().filter(BackendAnswer::allowed).count();
        if (allowed == 0) {
            return Outcome.DENIED;
        }
        if (allowed < backends.size()) {
            return Outcome.PARTLY;
        }
        return backends.stream().anyMatch(BackendAnswer::audited) ? Outcome.AUDITED : Outcome.ALLOWED;
    }

    private BackendAnswer backend(List<End> alike, Optional<SeenRequest> request) {
        Workload workload = alike.getFirst().workload();
        InboundPort port = alike.getFirst().port();
        // Whoever speaks, a port that is declared as TCP is never read.
        Optional<HttpCall> http =
                request.filter(any -> port.protocol() != Protocol.TCP).map(seen -> seen);
        InboundCall call = new InboundCall(port.port(), http);
        Authorizer authorizer =
                Authorizer.of(ProxyConfigs.workloadConfig(mesh, workload.id()).orElseThrow());
        Verdict verdict = authorizer.judge(caller, call);
        boolean allowed = !(verdict instanceof Verdict.Deny);
        List<GrantAnswer> grants = authorizer.explain(caller, call).stream()
                .map(grant -> new GrantAnswer(grant.target(), grant.failed().isEmpty(), grant.words()))
                .toList();
        return new BackendAnswer(
                alike.getFirst().cluster(),
                alike.getFirst().weight(),
                workload.identity().uri(),
                alike.stream().map(end -> end.workload().id().toString()).toList(),
                allowed,
                verdict instanceof Verdict.Audit,
                reason(verdict),
                detail(verdict, workload),
                workload.access().policy().access().name().toLowerCase(Locale.ROOT),
                workload.access().accessFrom(),
                grants,
                verdict instanceof Verdict.Allow ? "" : cure(workload, port, http));
    }

    private static String reason(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Allow(String rule) -> rule;
            case Verdict.Audit(Reason reason, String detail) -> reason.wireName();
            case Verdict.Deny(Reason reason, String detail) -> reason.wireName();
        };
    }

    private static String detail(Verdict verdict, Workload workload) {
        return switch (verdict) {
            case Verdict.Allow(String rule) ->
                switch (rule) {
                    case Verdict.Allow.OPEN ->
                        "%s is open to everyone (%s)"
                                .formatted(workload.id(), workload.access().accessFrom());
                    case Verdict.Allow.UNMESHED ->
                        "%s always takes callers without identity (%s)"
                                .formatted(workload.id(), workload.access().unmeshedFrom());
                    case Verdict.Allow.SAME_IDENTITY ->
                        "%s takes callers of its own identity (%s)"
                                .formatted(workload.id(), workload.access().sameIdentityFrom());
                    default -> "TrafficTarget %s lets it in".formatted(rule);
                };
            case Verdict.Audit(Reason reason, String detail) -> detail;
            case Verdict.Deny(Reason reason, String detail) -> detail;
        };
    }

    /** Objects that would let the call in; nothing where no TrafficTarget can: a caller without identity, or of another mesh. */
    private String cure(Workload workload, InboundPort port, Optional<HttpCall> http) {
        return caller.identity()
                .filter(identity -> identity.trustDomain().equals(mesh.trustDomain()))
                .map(identity -> Cure.yaml(
                        identity,
                        workload,
                        port.port(),
                        http.map(call -> new Cure.Request(call.method(), call.path()))))
                .orElse("");
    }

    private String callerName() {
        return caller.identity().map(SpiffeId::uri).orElse(WhyQuestion.UNMESHED);
    }
}
