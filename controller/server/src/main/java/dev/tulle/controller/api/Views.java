package dev.tulle.controller.api;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.api.Controller.Progress;
import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.PolicyWords;
import dev.tulle.controller.discovery.Outbox;
import dev.tulle.controller.discovery.ProxyStatus;
import dev.tulle.controller.discovery.Refusals;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.Pem;
import dev.tulle.controller.identity.Root;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.report.Tally;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.resources.Place;
import dev.tulle.controller.why.AskedRequest;
import dev.tulle.controller.why.Why;
import dev.tulle.controller.why.WhyAnswer;
import dev.tulle.controller.why.WhyQuestion;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Makes the shapes of the API from the parts of a running controller. Reads only; safe for all threads. */
public final class Views {
    /** Shortest time traffic is summed over. */
    public static final Duration MIN_WINDOW = Duration.ofSeconds(10);

    /** What the page sums over. */
    static final Duration PAGE_WINDOW = Duration.ofSeconds(30);

    private static final int PAGE_DENIALS = 20;

    private final Controller controller;

    public Views(Controller controller) {
        this.controller = requireNonNull(controller, "controller");
    }

    public Controller controller() {
        return controller;
    }

    /** Everything the page shows, consistent in itself. */
    public Shapes.State state() {
        return new Shapes.State(mesh(), edges(PAGE_WINDOW), denials(PAGE_DENIALS), proxies(), authority());
    }

    /** What is declared. */
    public Shapes.Mesh mesh() {
        Progress progress = controller.progress().get();
        Optional<Mesh> mesh = progress.assembled().map(Assembled::mesh);
        SortedMap<WorkloadId, ProxyStatus> proxies = controller.registry().statuses();
        List<TrafficWindow.ActSeen> acts = controller.traffic().acts(TrafficWindow.LENGTH);
        return new Shapes.Mesh(
                controller.authority().trustDomain(),
                progress.generation(),
                mesh.stream()
                        .flatMap(of -> of.services().values().stream())
                        .map(service -> service(service, acts))
                        .toList(),
                mesh.stream()
                        .flatMap(of -> of.workloads().values().stream())
                        .map(workload -> workload(workload, proxies.get(workload.id())))
                        .toList(),
                mesh.stream()
                        .flatMap(of -> of.services().values().stream())
                        .flatMap(Views::splits)
                        .toList(),
                problems(progress));
    }

    private static Shapes.Service service(Service service, List<TrafficWindow.ActSeen> acts) {
        List<Shapes.Port> ports = service.ports().stream()
                .map(port -> new Shapes.Port(
                        port.name(), port.port(), port.protocol().wireName()))
                .toList();
        List<String> workloads = service.ports().stream()
                .flatMap(port -> port.endpoints().stream())
                .flatMap(endpoint -> endpoint.workload().stream())
                .distinct()
                .sorted()
                .map(WorkloadId::toString)
                .toList();
        return new Shapes.Service(
                service.name().toString(),
                ports,
                workloads,
                PolicyWords.of(service.resilience(), service.rateLimit()),
                acts(service, acts));
    }

    /** What callers did for calls of a Service, and what the proxies behind it did at the ports it leads to. */
    private static List<Shapes.Act> acts(Service service, List<TrafficWindow.ActSeen> acts) {
        SortedMap<String, Shapes.Act> sums = new TreeMap<>();
        for (TrafficWindow.ActSeen seen : acts) {
            if (isOf(service, seen.key())) {
                sums.merge(
                        seen.key().what(),
                        new Shapes.Act(seen.key().what(), seen.count(), seen.now()),
                        (one, other) -> new Shapes.Act(
                                one.what(), one.count() + other.count(), Math.max(one.now(), other.now())));
            }
        }
        return List.copyOf(sums.values());
    }

    private static boolean isOf(Service service, TrafficWindow.ActKey key) {
        return key.service().equals(service.name().toString())
                || (service.rateLimit().isPresent()
                        && service.ports().stream()
                                .flatMap(port -> port.endpoints().stream())
                                .anyMatch(endpoint -> endpoint.workload().equals(Optional.of(key.reporter()))
                                        && Integer.toString(endpoint.port()).equals(key.service())));
    }

    private Shapes.Workload workload(Workload workload, @Nullable ProxyStatus proxy) {
        return new Shapes.Workload(
                workload.id().toString(),
                workload.owner(),
                workload.identity().uri(),
                workload.ready(),
                proxy == null ? "not heard of yet" : detail(proxy),
                workload.access().policy().access().name().toLowerCase(Locale.ROOT),
                workload.outbound().stream()
                        .map(listener -> called(listener.destination()))
                        .distinct()
                        .sorted()
                        .toList(),
                proxy == null ? null : proxy(proxy));
    }

    private static String called(DestinationKey key) {
        return switch (key) {
            case DestinationKey.ServicePort port -> port.namespace() + "/" + port.service();
            case DestinationKey.Address address -> address.address().toString();
        };
    }

    private static Stream<Shapes.Split> splits(Service service) {
        return service.splits().stream()
                .map(split -> new Shapes.Split(
                        split.name(),
                        service.name().toString(),
                        split.matches().stream()
                                .flatMap(List::stream)
                                .map(Views::text)
                                .toList(),
                        split.backends().stream()
                                .map(backend ->
                                        new Shapes.Backend(backend.service().toString(), backend.weight()))
                                .toList()));
    }

    private static String text(HttpMatch match) {
        List<String> parts = new ArrayList<>();
        if (!match.methods().isEmpty()) {
            parts.add(String.join("|", match.methods()));
        }
        match.path().ifPresent(path -> parts.add("path " + path.regex()));
        match.headers().forEach(header -> parts.add(header.name() + ": " + header.regex()));
        return match.name() + (parts.isEmpty() ? "" : " (" + String.join(", ", parts) + ")");
    }

    /** Everything that is wrong now: in the objects, in the controller, with proxies. */
    public Shapes.Problems problems() {
        return new Shapes.Problems(problems(controller.progress().get()));
    }

    private List<Shapes.Problem> problems(Progress progress) {
        List<Shapes.Problem> problems = new ArrayList<>();
        progress.ownProblems()
                .forEach(own ->
                        problems.add(new Shapes.Problem("error", own.object(), "", "", own.message(), own.remedy())));
        progress.assembled().stream()
                .flatMap(assembled -> assembled.problems().stream())
                .forEach(problem -> problems.add(new Shapes.Problem(
                        problem.severity().name().toLowerCase(Locale.ROOT),
                        problem.object().map(Object::toString).orElse(""),
                        problem.field(),
                        problem.place().map(Place::toString).orElse(""),
                        problem.message(),
                        problem.outcome())));
        for (ProxyStatus proxy : controller.registry().statuses().values()) {
            proxy.nack()
                    .ifPresent(nack -> problems.add(new Shapes.Problem(
                            "error",
                            "Workload " + proxy.workload(),
                            "",
                            "",
                            "Its proxy could not use version %d of %s: %s"
                                    .formatted(nack.version(), nack.about(), nack.error()),
                            "the proxy goes on with what it had before")));
        }
        for (Refusals.Refusal refusal :
                controller.refusals().newest(controller.clock().instant())) {
            problems.add(new Shapes.Problem(
                    "warning",
                    "Proxy " + refusal.who(),
                    "",
                    "",
                    refusal.sentence(),
                    "turned away %d times, last at %s".formatted(refusal.times(), refusal.at())));
        }
        return problems;
    }

    /** Traffic by edge: callers as namespace/owner, so that the instances of one Deployment add up. */
    public Shapes.Edges edges(Duration window) {
        Naming naming = naming();
        Map<EdgeName, Tally> sums = new TreeMap<>(EdgeName.ORDER);
        for (TrafficWindow.EdgeTraffic traffic : controller.traffic().edges(window)) {
            sums.merge(naming.edge(traffic.key()), traffic.tally(), Tally::plus);
        }
        List<Shapes.Edge> edges = new ArrayList<>();
        sums.forEach((name, tally) -> edges.add(new Shapes.Edge(
                name.from(),
                name.fromIdentity(),
                name.to(),
                name.backend(),
                name.toIdentity(),
                name.http() ? "http" : "tcp",
                name.mtls(),
                rounded(tally.rate()),
                known(tally.success()),
                known(tally.quantileMillis(0.5)),
                known(tally.quantileMillis(0.95)),
                known(tally.quantileMillis(0.99)),
                rounded(tally.deniedRate()),
                name.client() ? "client" : "server")));
        return new Shapes.Edges(window.toSeconds(), edges);
    }

    /** Golden numbers: Services as their callers see them, owners as their own proxies see them. */
    public Shapes.Stats stats(Duration window) {
        Naming naming = naming();
        SortedMap<String, List<TrafficWindow.EdgeTraffic>> services = new TreeMap<>();
        SortedMap<String, List<TrafficWindow.EdgeTraffic>> owners = new TreeMap<>();
        for (TrafficWindow.EdgeTraffic traffic : controller.traffic().edges(window)) {
            EdgeName name = naming.edge(traffic.key());
            SortedMap<String, List<TrafficWindow.EdgeTraffic>> half = name.client() ? services : owners;
            half.computeIfAbsent(name.to(), to -> new ArrayList<>()).add(traffic);
        }
        return new Shapes.Stats(window.toSeconds(), stats(services), stats(owners));
    }

    private static List<Shapes.Stat> stats(SortedMap<String, List<TrafficWindow.EdgeTraffic>> byName) {
        List<Shapes.Stat> stats = new ArrayList<>();
        byName.forEach((name, parts) -> {
            Tally sum = parts.stream().map(TrafficWindow.EdgeTraffic::tally).reduce(new Tally(), Tally::plus);
            long locked = parts.stream()
                    .filter(part -> part.key().mtls())
                    .mapToLong(part -> part.tally().requests())
                    .sum();
            stats.add(new Shapes.Stat(
                    name,
                    rounded(sum.rate()),
                    known(sum.success()),
                    known(sum.quantileMillis(0.5)),
                    known(sum.quantileMillis(0.95)),
                    known(sum.quantileMillis(0.99)),
                    known(sum.requests() == 0 ? Double.NaN : locked / (double) sum.requests()),
                    rounded(sum.deniedRate())));
        });
        return stats;
    }

    /** The newest refusals, each with the YAML that would let it pass. */
    public Shapes.Denials denials(int most) {
        Optional<Mesh> mesh = controller.progress().get().assembled().map(Assembled::mesh);
        Map<WhyQuestion, String> cures = new HashMap<>();
        return new Shapes.Denials(controller.traffic().denials().stream()
                .limit(most)
                .map(seen -> {
                    var denial = seen.denial();
                    Optional<AskedRequest> request = denial.method().isEmpty()
                            ? Optional.empty()
                            : Optional.of(AskedRequest.of(denial.method(), denial.path()));
                    WhyQuestion question = new WhyQuestion(
                            denial.peer().isEmpty() ? WhyQuestion.UNMESHED : denial.peer(),
                            "workload:" + seen.reporter(),
                            Optional.of(denial.port()),
                            request);
                    String cure = mesh.map(known -> cures.computeIfAbsent(question, asked -> cure(known, asked)))
                            .orElse("");
                    return new Shapes.Denial(
                            Instant.ofEpochMilli(denial.at()),
                            denial.peer(),
                            seen.reporter().toString(),
                            denial.port(),
                            denial.method(),
                            denial.path(),
                            denial.reason(),
                            denial.detail(),
                            denial.audited(),
                            cure);
                })
                .toList());
    }

    private static String cure(Mesh mesh, WhyQuestion question) {
        return Why.ask(mesh, question).backends().stream()
                .map(WhyAnswer.BackendAnswer::cure)
                .filter(text -> !text.isEmpty())
                .findFirst()
                .orElse("");
    }

    /** What would become of a call; absent until the mesh was read. */
    public Optional<Shapes.Why> why(WhyQuestion question) {
        return controller.progress().get().assembled().map(assembled -> {
            WhyAnswer answer = Why.ask(assembled.mesh(), question);
            return new Shapes.Why(
                    answer.outcome().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    answer.summary(),
                    answer.caller(),
                    answer.called(),
                    answer.route(),
                    answer.routeReason(),
                    answer.backends());
        });
    }

    /** Every proxy that was heard of. */
    public Shapes.Proxies proxies() {
        return new Shapes.Proxies(controller.registry().statuses().values().stream()
                .map(this::proxy)
                .toList());
    }

    private Shapes.Proxy proxy(ProxyStatus status) {
        double lag = status.oldestUnacked()
                .map(since ->
                        Duration.between(since, controller.clock().instant()).toMillis() / 1000.0)
                .orElse(0.0);
        return new Shapes.Proxy(
                status.workload().toString(),
                status.instance(),
                status.version(),
                status.connected(),
                status.since(),
                status.sent(),
                status.acked(),
                Math.max(0, lag),
                status.nack().map(Views::nack).orElse(null),
                status.leafEnds(),
                status.issuer(),
                status.connections(),
                status.connected()
                        && status.health().map(ProxyStatus.Health::ready).orElse(false),
                detail(status));
    }

    private static Shapes.Nack nack(Outbox.Nack nack) {
        return new Shapes.Nack(nack.version(), nack.about(), nack.error());
    }

    private static String detail(ProxyStatus status) {
        if (!status.connected()) {
            return status.instance().isEmpty() ? "enrolled, not connected yet" : "its proxy is not connected";
        }
        return status.health().map(ProxyStatus.Health::detail).orElse("its proxy has not said yet");
    }

    /** The certificate authority. */
    public Shapes.Authority authority() {
        AuthorityState state = controller.authority().state();
        return new Shapes.Authority(
                state.trustDomain(),
                state.roots().stream().map(Views::anchor).toList(),
                new Shapes.Issuer(
                        state.issuer().id(),
                        state.issuer().notBefore(),
                        state.issuer().notAfter(),
                        state.isIssuerGiven()),
                new Shapes.Rotation(
                        state.rotation().phase(),
                        state.rotation().generation(),
                        state.rotation().since(),
                        controller.progress().get().rotationWaitsFor().stream()
                                .map(WorkloadId::toString)
                                .toList()));
    }

    private static Shapes.Anchor anchor(Root root) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(root.certificate().getEncoded());
            return new Shapes.Anchor(
                    HexFormat.of().formatHex(digest),
                    root.id(),
                    root.notBefore(),
                    root.notAfter(),
                    Pem.of(root.certificate()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a root that was read cannot be written", e);
        }
    }

    private Naming naming() {
        return new Naming(controller.progress().get().assembled().map(Assembled::mesh));
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private static @Nullable Double known(double value) {
        return Double.isNaN(value) ? null : Double.valueOf(rounded(value));
    }

    private record EdgeName(
            String from,
            String fromIdentity,
            String to,
            String backend,
            String toIdentity,
            boolean http,
            boolean mtls,
            boolean client) {
        static final Comparator<EdgeName> ORDER = Comparator.comparing(EdgeName::from)
                .thenComparing(EdgeName::to)
                .thenComparing(EdgeName::backend)
                .thenComparing(EdgeName::fromIdentity)
                .thenComparing(EdgeName::toIdentity)
                .thenComparing(EdgeName::http)
                .thenComparing(EdgeName::mtls)
                .thenComparing(EdgeName::client);
    }

    /** Gives identities and instances the names people know. */
    private static final class Naming {
        private final Map<WorkloadId, Workload> workloads = new HashMap<>();
        private final Map<String, String> ownerOfIdentity = new HashMap<>();

        Naming(Optional<Mesh> mesh) {
            mesh.ifPresent(known -> {
                workloads.putAll(known.workloads());
                known.workloads()
                        .values()
                        .forEach(workload -> ownerOfIdentity.merge(
                                workload.identity().uri(),
                                owner(workload),
                                (one, other) -> one.equals(other)
                                        ? one
                                        : workload.identity().namespace() + "/"
                                                + workload.identity().serviceAccount()));
            });
        }

        EdgeName edge(TrafficWindow.EdgeKey key) {
            String self = owner(key.reporter());
            String selfIdentity = Optional.ofNullable(workloads.get(key.reporter()))
                    .map(workload -> workload.identity().uri())
                    .orElse("");
            if (key.direction() == Direction.OUTBOUND) {
                return new EdgeName(
                        self, selfIdentity, key.service(), key.backend(), key.peer(), key.http(), key.mtls(), true);
            }
            return new EdgeName(
                    caller(key.peer()), key.peer(), self, key.backend(), selfIdentity, key.http(), key.mtls(), false);
        }

        private String caller(String peer) {
            return ownerOfIdentity.getOrDefault(
                    peer,
                    SpiffeId.parse(peer)
                            .map(id -> id.namespace() + "/" + id.serviceAccount())
                            .orElse(peer));
        }

        private String owner(WorkloadId id) {
            Workload workload = workloads.get(id);
            return workload == null ? id.toString() : owner(workload);
        }

        private static String owner(Workload workload) {
            return workload.id().namespace() + "/" + workload.owner();
        }
    }
}
