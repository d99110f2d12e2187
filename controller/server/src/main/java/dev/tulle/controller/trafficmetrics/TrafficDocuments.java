package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.model.Backend;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.report.Tally;
import dev.tulle.controller.report.TrafficWindow.EdgeTraffic;
import dev.tulle.controller.report.TrafficWindow.WholeSlices;
import dev.tulle.controller.resources.WorkloadResource.Pod.Maker;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Makes TrafficMetrics documents of what proxies reported in one window. Pure.
 *
 * <p>Only HTTP requests count, gRPC among them; those that policy refused do not. What is made of pods has the requests that its own proxies let
 * in; Services and TrafficSplits have those that callers in the mesh sent. Who is at the other end of an edge is said by the kind that was asked
 * for where the reports leave no doubt, else by what they do say: a caller's service account, a called Service. Source: SMI TrafficMetrics
 * v1alpha1.
 */
final class TrafficDocuments {
    /** Callers in plain text: Kubernetes' word for those that nobody knows. */
    private static final Ref ANONYMOUS = new Ref("Group", "", "system:unauthenticated");

    private final WholeSlices traffic;
    private final Map<WorkloadId, PodBook.Entry> pods;
    private final Mesh mesh;
    private final Map<SpiffeName, Set<WorkloadId>> podsByIdentity = new HashMap<>();

    TrafficDocuments(WholeSlices traffic, Map<WorkloadId, PodBook.Entry> pods, Mesh mesh) {
        this.traffic = requireNonNull(traffic, "traffic");
        this.pods = Map.copyOf(pods);
        this.mesh = requireNonNull(mesh, "mesh");
        pods.forEach((id, pod) -> podsByIdentity
                .computeIfAbsent(
                        new SpiffeName(id.namespace(), pod.workload().serviceAccount()), name -> new HashSet<>())
                .add(id));
    }

    /** What an object is called; empty parts are left out of its JSON. */
    record Ref(String kind, String namespace, String name) implements Comparable<Ref> {
        private static final Comparator<Ref> ORDER =
                Comparator.comparing(Ref::namespace).thenComparing(Ref::kind).thenComparing(Ref::name);

        Ref {
            requireNonNull(kind, "kind");
            requireNonNull(namespace, "namespace");
            requireNonNull(name, "name");
        }

        @Override
        public int compareTo(Ref other) {
            return ORDER.compare(this, other);
        }

        private ObjectNode json() {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            put(json, "kind", kind);
            put(json, "namespace", namespace);
            put(json, "name", name);
            return json;
        }

        private static void put(ObjectNode json, String field, String value) {
            if (!value.isEmpty()) {
                json.put(field, value);
            }
        }
    }

    private record SpiffeName(String namespace, String serviceAccount) {}

    /** Which way an edge goes, and who told of it: the one beside the client or the one beside the server. */
    private enum Side {
        FROM("from", "server"),
        /** As its callers tell. */
        FROM_CALLERS("from", "client"),
        TO("to", "client");

        private final String direction;
        private final String side;

        Side(String direction, String side) {
            this.direction = direction;
            this.side = side;
        }
    }

    private record Edge(Side side, Ref other) implements Comparable<Edge> {
        private static final Comparator<Edge> ORDER =
                Comparator.comparing(Edge::side).thenComparing(Edge::other);

        @Override
        public int compareTo(Edge other) {
            return ORDER.compare(this, other);
        }
    }

    /** One thing, with or without traffic, absent when it is not in the mesh; of a TrafficSplit a list, with an item a backend. */
    Optional<ObjectNode> one(Kind kind, String namespace, String name) {
        Ref subject = new Ref(kind.singular(), namespace, name);
        if (kind == Kind.TRAFFICSPLITS) {
            ObjectNode list = list(path(kind, namespace, name, ""), subject);
            ArrayNode items = list.putArray("items");
            splits(namespace).filter(split -> split.ref().equals(subject)).forEach(split -> addBackends(split, items));
            return items.isEmpty() ? Optional.empty() : Optional.of(list);
        }
        return subjects(kind, namespace, LabelSelector.parse("")).contains(subject)
                ? Optional.of(whole(kind, subject, received(kind)))
                : Optional.empty();
    }

    /** All of one kind, with or without traffic, by name; of one namespace unless that is empty. */
    ObjectNode many(Kind kind, String namespace, LabelSelector selector) {
        ObjectNode list = list(path(kind, namespace, "", ""), new Ref(kind.singular(), namespace, ""));
        if (!selector.isEmpty()) {
            list.set("selector", selector.json());
        }
        ArrayNode items = list.putArray("items");
        if (kind == Kind.TRAFFICSPLITS) {
            splits(namespace).forEach(split -> addBackends(split, items));
        } else {
            Map<Ref, Tally> received = received(kind);
            subjects(kind, namespace, selector).forEach(subject -> items.add(whole(kind, subject, received)));
        }
        return list;
    }

    /** With whom one thing had traffic; absent when it is not in the mesh. */
    Optional<ObjectNode> edges(Kind kind, String namespace, String name) {
        Ref subject = new Ref(kind.singular(), namespace, name);
        if (!subjects(kind, namespace, LabelSelector.parse("")).contains(subject)) {
            return Optional.empty();
        }
        SortedMap<Edge, Tally> edges = new TreeMap<>();
        traffic.edges().stream()
                .filter(one -> one.key().http() && one.tally().requests() > 0)
                .forEach(
                        one -> edge(kind, subject, one).ifPresent(edge -> edges.merge(edge, one.tally(), Tally::plus)));
        ObjectNode list = list(path(kind, namespace, name, "edges"), subject);
        ArrayNode items = list.putArray("items");
        edges.forEach((edge, tally) ->
                items.add(document(kind, subject, edge.side(), edge.other().json(), tally)));
        return Optional.of(list);
    }

    private Optional<Edge> edge(Kind kind, Ref subject, EdgeTraffic one) {
        WorkloadId reporter = one.key().reporter();
        if (kind == Kind.SERVICES) {
            return isCallOf(one, subject)
                    ? Optional.of(new Edge(Side.FROM_CALLERS, maker(reporter)))
                    : Optional.empty();
        }
        if (!of(kind, reporter).equals(Optional.of(subject))) {
            return Optional.empty();
        }
        return Optional.of(
                one.key().direction() == Direction.INBOUND
                        ? new Edge(Side.FROM, caller(kind, one.key().peer()))
                        : new Edge(
                                Side.TO,
                                called(kind, one.key().backend(), one.key().peer())));
    }

    private Ref caller(Kind kind, String peer) {
        if (peer.isEmpty()) {
            return ANONYMOUS;
        }
        return SpiffeId.parse(peer)
                .map(id -> kind == Kind.NAMESPACES
                        ? new Ref(kind.singular(), "", id.namespace())
                        : only(
                                        kind,
                                        podsByIdentity
                                                .getOrDefault(
                                                        new SpiffeName(id.namespace(), id.serviceAccount()), Set.of())
                                                .stream())
                                .orElseGet(() -> new Ref("ServiceAccount", id.namespace(), id.serviceAccount())))
                .orElseGet(() -> new Ref("", "", peer));
    }

    private Ref called(Kind kind, String backend, String peer) {
        Optional<ServiceName> name = Optional.of(backend.indexOf('/'))
                .filter(slash -> slash > 0)
                .map(slash -> new ServiceName(backend.substring(0, slash), backend.substring(slash + 1)));
        if (name.isEmpty()) {
            return new Ref("", "", backend);
        }
        if (kind == Kind.NAMESPACES) {
            return new Ref(kind.singular(), "", name.get().namespace());
        }
        Stream<WorkloadId> behind = name.flatMap(mesh::service).stream()
                .flatMap(service -> service.ports().stream())
                .flatMap(port -> port.endpoints().stream())
                .filter(endpoint -> peer.isEmpty()
                        || endpoint.identity()
                                .map(SpiffeId::uri)
                                .filter(peer::equals)
                                .isPresent())
                .flatMap(endpoint -> endpoint.workload().stream());
        return only(kind, behind)
                .orElseGet(() ->
                        new Ref("Service", name.get().namespace(), name.get().name()));
    }

    /** The one thing that all of these pods belong to, if there is one such. */
    private Optional<Ref> only(Kind kind, Stream<WorkloadId> some) {
        List<Optional<Ref>> different =
                some.map(id -> of(kind, id)).distinct().limit(2).toList();
        return different.size() == 1 ? different.getFirst() : Optional.empty();
    }

    /** What of this kind a pod belongs to. */
    private Optional<Ref> of(Kind kind, WorkloadId id) {
        PodBook.Entry pod = pods.get(id);
        return switch (kind) {
            case NAMESPACES -> Optional.of(new Ref(kind.singular(), "", id.namespace()));
            case PODS -> Optional.of(new Ref(kind.singular(), id.namespace(), id.name()));
            case NODES ->
                Optional.ofNullable(pod)
                        .map(known -> known.pod().node())
                        .filter(node -> !node.isEmpty())
                        .map(node -> new Ref(kind.singular(), "", node));
            case DAEMONSETS, DEPLOYMENTS, JOBS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS ->
                Optional.ofNullable(pod).stream()
                        .flatMap(known -> known.pod().makers().stream())
                        .filter(maker -> maker.kind().equals(kind.singular()))
                        .map(maker -> new Ref(kind.singular(), id.namespace(), maker.name()))
                        .findFirst();
            case SERVICES, TRAFFICSPLITS -> Optional.empty();
        };
    }

    /** What people know a pod by. */
    private Ref maker(WorkloadId id) {
        List<Maker> makers =
                Optional.ofNullable(pods.get(id)).map(pod -> pod.pod().makers()).orElse(List.of());
        return makers.isEmpty()
                ? new Ref(Kind.PODS.singular(), id.namespace(), id.name())
                : new Ref(
                        makers.getLast().kind(),
                        id.namespace(),
                        makers.getLast().name());
    }

    /** Ordered. */
    private Set<Ref> subjects(Kind kind, String namespace, LabelSelector selector) {
        Set<Ref> subjects = new TreeSet<>();
        if (kind.isOfPods()) {
            pods.forEach((id, pod) -> {
                if (pod.isThere() && selector.holds(pod.workload().labels())) {
                    of(kind, id).ifPresent(subjects::add);
                }
            });
        } else {
            Set<String> called = new HashSet<>();
            traffic.edges().stream()
                    .filter(one -> one.key().direction() == Direction.OUTBOUND
                            && one.key().http())
                    .forEach(one -> called.add(one.key().service()));
            mesh.services().values().stream()
                    .filter(service -> called.contains(service.name().toString()) || isMeshed(service))
                    .map(service -> new Ref(
                            kind.singular(),
                            service.name().namespace(),
                            service.name().name()))
                    .forEach(subjects::add);
        }
        subjects.removeIf(
                subject -> !namespace.isEmpty() && !subject.namespace().equals(namespace));
        return subjects;
    }

    private static boolean isMeshed(Service service) {
        return service.ports().stream()
                .flatMap(port -> port.endpoints().stream())
                .anyMatch(endpoint -> endpoint.identity().isPresent());
    }

    private record SplitOf(Split split, ServiceName apex) {
        Ref ref() {
            return new Ref(
                    Kind.TRAFFICSPLITS.singular(),
                    apex.namespace(),
                    split.name().substring(split.name().indexOf('/') + 1));
        }
    }

    private Stream<SplitOf> splits(String namespace) {
        return mesh.services().values().stream()
                .filter(service ->
                        namespace.isEmpty() || service.name().namespace().equals(namespace))
                .flatMap(service -> service.splits().stream().map(split -> new SplitOf(split, service.name())))
                .sorted(Comparator.comparing(SplitOf::ref));
    }

    private void addBackends(SplitOf of, ArrayNode items) {
        for (Backend backend : of.split().backends()) {
            Tally tally = sum(one -> one.key().direction() == Direction.OUTBOUND
                    && one.key().service().equals(of.apex().toString())
                    && one.key().backend().equals(backend.service().toString()));
            ObjectNode item = document(
                    Kind.TRAFFICSPLITS, of.ref(), Side.FROM_CALLERS, JsonNodeFactory.instance.objectNode(), tally);
            item.putObject("backend")
                    .put("apex", of.apex().name())
                    .put("name", backend.service().name())
                    .put("weight", backend.weight());
            items.add(item);
        }
    }

    private static boolean isCallOf(EdgeTraffic one, Ref service) {
        return one.key().direction() == Direction.OUTBOUND
                && one.key().service().equals(service.namespace() + "/" + service.name());
    }

    private ObjectNode whole(Kind kind, Ref subject, Map<Ref, Tally> received) {
        Side side = kind == Kind.SERVICES ? Side.FROM_CALLERS : Side.FROM;
        // A reference to nothing means: whoever called.
        return document(
                kind,
                subject,
                side,
                JsonNodeFactory.instance.objectNode(),
                received.getOrDefault(subject, new Tally()));
    }

    /** What each thing of a kind received, of those that received anything; one walk over the edges, however many things there are. */
    private Map<Ref, Tally> received(Kind kind) {
        Map<Ref, Tally> received = new HashMap<>();
        for (EdgeTraffic one : traffic.edges()) {
            if (one.key().http()) {
                receiver(kind, one).ifPresent(subject -> received.merge(subject, one.tally(), Tally::plus));
            }
        }
        return received;
    }

    private Optional<Ref> receiver(Kind kind, EdgeTraffic one) {
        if (kind != Kind.SERVICES) {
            return one.key().direction() == Direction.INBOUND
                    ? of(kind, one.key().reporter())
                    : Optional.empty();
        }
        String service = one.key().service();
        int slash = service.indexOf('/');
        return one.key().direction() == Direction.OUTBOUND && slash > 0
                ? Optional.of(new Ref(kind.singular(), service.substring(0, slash), service.substring(slash + 1)))
                : Optional.empty();
    }

    private Tally sum(Predicate<EdgeTraffic> which) {
        return traffic.edges().stream()
                .filter(one -> one.key().http())
                .filter(which)
                .map(EdgeTraffic::tally)
                .reduce(new Tally(), Tally::plus);
    }

    private ObjectNode list(String path, Ref resource) {
        ObjectNode list = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "TrafficMetricsList")
                .put("apiVersion", Asked.GROUP + "/" + Asked.VERSION);
        list.putObject("metadata").put("selfLink", path);
        list.set("resource", resource.json());
        return list;
    }

    private ObjectNode document(Kind kind, Ref subject, Side side, ObjectNode other, Tally tally) {
        String until = traffic.until().truncatedTo(ChronoUnit.SECONDS).toString();
        ObjectNode document = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "TrafficMetrics")
                .put("apiVersion", Asked.GROUP + "/" + Asked.VERSION);
        ObjectNode metadata = document.putObject("metadata").put("name", subject.name());
        if (!subject.namespace().isEmpty()) {
            metadata.put("namespace", subject.namespace());
        }
        metadata.put("selfLink", path(kind, subject.namespace(), subject.name(), ""))
                .put("creationTimestamp", until);
        document.put("timestamp", until)
                .put("window", Duration.between(traffic.from(), traffic.until()).toSeconds() + "s");
        document.set("resource", subject.json());
        ObjectNode edge =
                document.putObject("edge").put("direction", side.direction).put("side", side.side);
        edge.set("resource", other);
        ArrayNode metrics = document.putArray("metrics");
        for (int percent : new int[] {99, 90, 50}) {
            metrics.addObject()
                    .put("name", "p%d_response_latency".formatted(percent))
                    .put("unit", "ms")
                    .put("value", milli(tally.quantileMillis(percent / 100.0)));
        }
        long failures = Math.min(tally.failures(), tally.requests());
        metrics.addObject().put("name", "success_count").put("value", Long.toString(tally.requests() - failures));
        metrics.addObject().put("name", "failure_count").put("value", Long.toString(failures));
        return document;
    }

    /** A quantity with three decimals, in Kubernetes' way of writing these; of nothing it is zero. */
    private static String milli(double value) {
        long thousandths = Double.isNaN(value) ? 0 : Math.round(value * 1000);
        return thousandths == 0 ? "0" : thousandths + "m";
    }

    private static String path(Kind kind, String namespace, String name, String more) {
        StringBuilder path = new StringBuilder(Asked.PREFIX);
        if (!namespace.isEmpty()) {
            path.append("/namespaces/").append(namespace);
        }
        Stream.of(kind.plural(), name, more)
                .filter(part -> !part.isEmpty())
                .forEach(part -> path.append('/').append(part));
        return path.toString();
    }
}
