package dev.tulle.controller.watch;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.controller.resources.EndpointSliceResource;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceAccountResource;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.watch.ClusterObjects.MachineNode;
import dev.tulle.controller.watch.ClusterObjects.Networks;
import dev.tulle.controller.watch.ClusterObjects.RunningPod;
import dev.tulle.controller.watch.ClusterObjects.Space;
import dev.tulle.controller.watch.Fields.BadField;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.SmiReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes resources of the objects of a cluster, which come one by one.
 *
 * <p>Each object is read when it comes and kept as what the mesh wants of it: some hundred bytes a pod. One that is bad now stays as it
 * was, but for access rules, which then grant nothing. Safe for all threads.
 */
public final class ClusterReader {
    /** Namespaces whose pods are never meshed. */
    public static final Set<String> EXEMPT = Set.of("kube-system", MeshSettings.CONFIG_MAP.namespace());

    /** Who manages an EndpointSlice says this label. */
    public static final String SLICE_MANAGER = "endpointslice.kubernetes.io/managed-by";

    /** Whose EndpointSlices are passed over: endpoints of Services with a selector are worked out from the pods, which are known sooner. */
    public static final String OF_SELECTORS = "endpointslice-controller.k8s.io";

    private final Map<ObjectRef, Kept> objects = new HashMap<>();

    /** What is known of one object: its value, unless it says nothing to a mesh, and what is wrong with it. */
    private record Kept(Optional<Object> value, List<Problem> problems) {}

    /** Takes an object as it is now; one of a kind that says nothing to a mesh is passed over. */
    public synchronized void put(JsonNode object) {
        ObjectRef ref = ref(object);
        Optional<Object> last = Optional.ofNullable(objects.get(ref)).flatMap(Kept::value);
        objects.put(ref, read(object, ref, last));
    }

    /** Forgets an object that is gone. */
    public synchronized void remove(ObjectRef ref) {
        objects.remove(ref);
    }

    /** Forgets the objects of a kind that are not among these. */
    public synchronized void retain(String kind, Set<ObjectRef> there) {
        objects.keySet().removeIf(ref -> ref.kind().equals(kind) && !there.contains(ref));
    }

    /** Names an object by its kind and metadata. */
    public static ObjectRef ref(JsonNode object) {
        JsonNode metadata = object.path("metadata");
        return new ObjectRef(
                object.path("kind").asText(""),
                metadata.path("namespace").asText(""),
                metadata.path("name").asText(""));
    }

    private static Kept read(JsonNode object, ObjectRef ref, Optional<Object> last) {
        String apiVersion = object.path("apiVersion").asText("");
        if (SmiReader.isSmi(apiVersion, ref.kind())) {
            SmiObjects.Taken taken = SmiObjects.take(ref.kind(), SmiReader.read(object), last);
            List<Problem> problems = new ArrayList<>();
            taken.errors()
                    .forEach(error -> problems.add(
                            problem(Severity.ERROR, ref, error.field(), error.message(), taken.outcome())));
            taken.warnings()
                    .forEach(warning -> problems.add(problem(
                            Severity.WARNING, ref, warning.field(), warning.message(), SmiObjects.STILL_HOLDS)));
            return new Kept(taken.value().map(Object.class::cast), problems);
        }
        Fields fields = Fields.of(object);
        Optional<Object> value = value(ref, fields);
        if (fields.bad().isEmpty()
                || value.filter(MeshSettings.class::isInstance).isPresent()) {
            return new Kept(value, problems(ref, fields.bad(), "this setting is left out, the others hold"));
        }
        return new Kept(last, problems(ref, fields.bad(), last.isPresent() ? "kept as it was before" : "left out"));
    }

    private static Optional<Object> value(ObjectRef ref, Fields fields) {
        return switch (ref.kind()) {
            case "Namespace" -> Optional.of(ClusterObjects.namespace(ref.name(), fields));
            case "Service" ->
                ClusterObjects.service(ref.namespace(), ref.name(), fields).map(Object.class::cast);
            case "EndpointSlice" ->
                ClusterObjects.slice(ref.namespace(), ref.name(), fields).map(Object.class::cast);
            case "Pod" ->
                ClusterObjects.pod(ref.namespace(), ref.name(), fields).map(Object.class::cast);
            case "ServiceAccount" -> Optional.of(new ServiceAccountResource(ref.namespace(), ref.name()));
            case "Node" -> Optional.of(ClusterObjects.node(ref.name(), fields));
            case "ServiceCIDR" -> Optional.of(ClusterObjects.serviceNetworks(fields));
            case "ConfigMap" ->
                ref.equals(MeshSettings.CONFIG_MAP) ? Optional.of(CoreObjects.settings(fields)) : Optional.empty();
            default -> Optional.empty();
        };
    }

    private static List<Problem> problems(ObjectRef ref, List<BadField> bad, String outcome) {
        return bad.stream()
                .map(field -> problem(Severity.ERROR, ref, field.path(), field.message(), outcome))
                .toList();
    }

    private static Problem problem(Severity severity, ObjectRef ref, String field, String message, String outcome) {
        return new Problem(severity, Optional.of(ref), Optional.empty(), field, message, outcome);
    }

    /**
     * Everything kept, as one copy.
     *
     * @param more problems of the watching itself
     */
    public synchronized Resources resources(Collection<Problem> more) {
        Resources.Builder resources = Resources.builder();
        Map<String, Space> spaces = new HashMap<>();
        Map<String, MachineNode> nodes = new HashMap<>();
        List<RunningPod> pods = new ArrayList<>();
        SortedSet<String> networks = new TreeSet<>();
        MeshSettings settings = MeshSettings.NONE;
        for (Kept kept : objects.values()) {
            resources.problems(kept.problems());
            switch (kept.value().orElse("")) {
                case Space space -> {
                    spaces.put(space.name(), space);
                    resources.add(new NamespaceResource(space.name(), space.annotations()));
                }
                case MachineNode node -> {
                    nodes.put(node.name(), node);
                    networks.addAll(node.podNetworks());
                }
                case Networks service -> networks.addAll(service.cidrs());
                case RunningPod pod -> pods.add(pod);
                case ServiceResource service -> resources.add(service);
                case EndpointSliceResource slice -> resources.add(slice);
                case ServiceAccountResource account -> resources.add(account);
                case MeshSettings said -> settings = said;
                case SmiObject smi -> resources.add(smi);
                default -> {
                    // An object that says nothing to a mesh.
                }
            }
        }
        for (RunningPod pod : pods) {
            MachineNode node = nodes.get(pod.node());
            resources.add(pod.at(node == null ? "" : node.zone()));
            if (pod.serving() != WorkloadResource.Pod.Serving.READY) {
                resources.unready(pod.workload().id());
            }
        }
        return resources
                .settings(withNetworks(settings, networks))
                .problems(leftOut(pods, spaces))
                .problems(more)
                .build();
    }

    /** What the settings say, else every network that Services and pods are given addresses of. */
    private static MeshSettings withNetworks(MeshSettings settings, SortedSet<String> seen) {
        return settings.networks().isEmpty()
                ? new MeshSettings(
                        settings.trustDomain(), settings.rootGeneration(), List.copyOf(seen), settings.access())
                : settings;
    }

    /** Pods that should have a proxy and have none, one problem for all of one owner. */
    private static List<Problem> leftOut(List<RunningPod> pods, Map<String, Space> spaces) {
        SortedMap<ObjectRef, List<RunningPod>> byOwner = new TreeMap<>();
        for (RunningPod pod : pods) {
            Space space = spaces.get(pod.workload().id().namespace());
            boolean wanted = pod.injection()
                    .or(() -> space == null ? Optional.empty() : space.injection())
                    .filter("enabled"::equals)
                    .isPresent();
            if (wanted
                    && !pod.workload().meshed()
                    && !pod.ending()
                    && !EXEMPT.contains(pod.workload().id().namespace())) {
                byOwner.computeIfAbsent(
                                new ObjectRef(
                                        pod.hostNetwork() ? "host" : "",
                                        pod.workload().id().namespace(),
                                        pod.workload().owner()),
                                owner -> new ArrayList<>())
                        .add(pod);
            }
        }
        List<Problem> problems = new ArrayList<>();
        byOwner.forEach((owner, ofOwner) -> {
            ObjectRef first = ofOwner.stream()
                    .map(pod -> pod.workload().ref())
                    .sorted()
                    .findFirst()
                    .orElseThrow();
            String others = ofOwner.size() == 1
                    ? ""
                    : " (nor %s of %s)"
                            .formatted(ofOwner.size() == 2 ? "another" : ofOwner.size() - 1 + " others", owner.name());
            problems.add(
                    owner.kind().equals("host")
                            ? problem(
                                    Severity.WARNING,
                                    first,
                                    "spec.hostNetwork",
                                    "is not meshed%s: it uses its node's network, where nothing may be redirected; label it tulle.dev/inject=disabled to say that this is meant"
                                            .formatted(others),
                                    "it is called, and calls, in plain text")
                            : problem(
                                    Severity.WARNING,
                                    first,
                                    "metadata.labels",
                                    "is not meshed%s, though it or its namespace is labelled tulle.dev/inject=enabled; it is older than the label or the webhook was away: restart it"
                                            .formatted(others),
                                    "it is called, and calls, in plain text"));
        });
        return problems;
    }
}
