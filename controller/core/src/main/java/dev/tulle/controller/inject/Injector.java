package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.assemble.AnnotationCheck;
import dev.tulle.controller.inject.Decision.Reason;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides about pods and pod templates, and makes meshed ones of them; stateless.
 *
 * <p>Fields nobody here knows stay as they are. A pod that is meshed already is not touched, so that it does not matter how often, or by
 * whom, this is done.
 */
public final class Injector {
    /** Label of namespaces and pods; {@code enabled} or {@code disabled}. */
    public static final String INJECT = "tulle.dev/inject";

    /** Label of every meshed pod. */
    public static final String MESHED = "tulle.dev/meshed";

    /** Annotation of every meshed pod. */
    public static final String PROXY_VERSION = "tulle.dev/proxy-version";

    static final String DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";
    private static final String OSM_INJECTION = "openservicemesh.io/sidecar-injection";
    private static final String OSM_MONITORED = "openservicemesh.io/monitored-by";
    private static final Set<Integer> PORTS = Set.of(
            SidecarContainers.OUTBOUND_PORT,
            SidecarContainers.INBOUND_PORT,
            SidecarContainers.ADMIN_PORT,
            SidecarContainers.LOCAL_ADMIN_PORT);

    private final InjectSettings settings;

    public Injector(InjectSettings settings) {
        this.settings = settings;
    }

    /**
     * What to do with a pod.
     *
     * @param namespace where it will be
     * @param pod with {@code metadata} and {@code spec}; also a pod template
     * @param kind of the object the author wrote, for messages
     * @param name of that object, for messages
     */
    public Decision decide(NamespaceView namespace, JsonNode pod, String kind, String name) {
        PodView view = new PodView(namespace.name(), pod, kind, name);
        List<String> problems = new ArrayList<>();
        Optional<Boolean> own = own(view, problems);
        Optional<Boolean> outer = outer(namespace, problems);
        if (!problems.isEmpty() && own.orElse(true)) {
            return new Decision.Refuse(problems);
        }
        if (own.isPresent() && !own.get()) {
            return new Decision.Skip(Reason.DISABLED, "%s says so itself".formatted(view));
        }
        if (!own.or(() -> outer).orElse(false)) {
            return new Decision.Skip(
                    Reason.NOT_ASKED, "neither %s nor %s has the label %s: enabled".formatted(view, namespace, INJECT));
        }
        return decideWhereAsked(namespace, view, own.isPresent());
    }

    private Decision decideWhereAsked(NamespaceView namespace, PodView pod, boolean byItself) {
        if (pod.hasContainer("initContainers", SidecarContainers.PROXY)
                && pod.hasContainer("initContainers", SidecarContainers.REDIRECT)) {
            return new Decision.Skip(Reason.INJECTED, "%s has its proxy already".formatted(pod));
        }
        Optional<Decision.Skip> obstacle = obstacle(pod);
        if (obstacle.isPresent()) {
            return byItself ? new Decision.Refuse(List.of(obstacle.get().sentence())) : obstacle.get();
        }
        List<String> problems = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        Tuning tuning = TuningAnnotations.read(pod, namespace, settings.osm(), problems);
        policyAnnotations(pod, problems, warnings);
        taken(pod, problems);
        identities(pod, problems);
        pod.everyContainer().forEach(container -> Probes.check(pod, container, problems));
        surroundings(namespace, pod, warnings);
        return problems.isEmpty() ? new Decision.Inject(tuning, warnings) : new Decision.Refuse(problems);
    }

    /** What the pod itself asks for. */
    private Optional<Boolean> own(PodView pod, List<String> problems) {
        String label = pod.labels().get(INJECT);
        if (label != null) {
            return enabled("label %s of %s".formatted(INJECT, pod), label, problems);
        }
        String osm = settings.osm() ? pod.annotations().get(OSM_INJECTION) : null;
        return osm == null
                ? Optional.empty()
                : osmEnabled("annotation %s of %s".formatted(OSM_INJECTION, pod), osm, problems);
    }

    /** What its namespace asks for. */
    private Optional<Boolean> outer(NamespaceView namespace, List<String> problems) {
        String label = namespace.labels().get(INJECT);
        if (label != null) {
            return enabled("label %s of %s".formatted(INJECT, namespace), label, problems);
        }
        String osm = settings.osm() && namespace.labels().containsKey(OSM_MONITORED)
                ? namespace.annotations().get(OSM_INJECTION)
                : null;
        return osm == null
                ? Optional.empty()
                : osmEnabled("annotation %s of %s".formatted(OSM_INJECTION, namespace), osm, problems);
    }

    private static Optional<Boolean> enabled(String place, String value, List<String> problems) {
        return switch (value) {
            case "enabled" -> Optional.of(true);
            case "disabled" -> Optional.of(false);
            default -> {
                problems.add("%s is '%s': write enabled or disabled".formatted(place, value));
                yield Optional.empty();
            }
        };
    }

    private static Optional<Boolean> osmEnabled(String place, String value, List<String> problems) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "enabled", "yes", "true" -> Optional.of(true);
            case "disabled", "no", "false" -> Optional.of(false);
            default -> {
                problems.add(
                        "%s is '%s': write enabled or disabled".formatted(place, TuningAnnotations.shortened(value)));
                yield Optional.empty();
            }
        };
    }

    /** Why there can be no proxy in this pod, whatever anybody asks for. */
    private static Optional<Decision.Skip> obstacle(PodView pod) {
        JsonNode spec = pod.spec();
        if (spec.path("hostNetwork").asBoolean()) {
            return Optional.of(new Decision.Skip(
                    Reason.HOST_NETWORK,
                    "%s has hostNetwork: true, so its traffic is the node's and cannot be meshed: remove hostNetwork, or label it %s: disabled"
                            .formatted(pod, INJECT)));
        }
        if (pod.annotations().containsKey("kubernetes.io/config.mirror")) {
            return Optional.of(new Decision.Skip(
                    Reason.STATIC,
                    "%s is a static pod, which only a file on its node can change: write the label %s: disabled there"
                            .formatted(pod, INJECT)));
        }
        if (spec.path("os").path("name").asText().equals("windows")
                || spec.path("nodeSelector").path("kubernetes.io/os").asText().equals("windows")) {
            return Optional.of(new Decision.Skip(
                    Reason.WINDOWS,
                    "%s is for Windows nodes, for which there is no proxy: label it %s: disabled"
                            .formatted(pod, INJECT)));
        }
        return Optional.empty();
    }

    /** The annotations that say what the proxy should enforce: the same check as the controller's. */
    private static void policyAnnotations(PodView pod, List<String> problems, List<String> warnings) {
        ObjectRef object = new ObjectRef(pod.kind(), pod.namespace(), pod.name());
        for (Problem problem : AnnotationCheck.ofWorkload(object, pod.annotations())) {
            String name = problem.field().substring(problem.field().indexOf("annotations.") + "annotations.".length());
            String sentence = "annotation %s of %s: %s".formatted(name, pod, problem.message());
            (problem.severity() == Severity.ERROR ? problems : warnings).add(sentence);
        }
    }

    /** Names and ports that are ours. */
    private static void taken(PodView pod, List<String> problems) {
        for (JsonNode container : pod.everyContainer()) {
            String name = container.path("name").asText();
            if (Set.of(SidecarContainers.PROXY, SidecarContainers.REDIRECT).contains(name)) {
                problems.add("%s has a container %s, a name of Tulle's: rename it".formatted(pod, name));
            }
            for (JsonNode port : container.path("ports")) {
                int number = port.path("containerPort").asInt();
                if (PORTS.contains(number) && !port.path("protocol").asText().equals("UDP")) {
                    problems.add("container %s of %s has containerPort %d, which the proxy uses: choose another"
                            .formatted(name, pod, number));
                }
            }
        }
        for (JsonNode volume : pod.spec().path("volumes")) {
            String name = volume.path("name").asText();
            if (SidecarContainers.VOLUMES.contains(name)) {
                problems.add("%s has a volume %s, a name of Tulle's: rename it".formatted(pod, name));
            }
        }
    }

    /** Whoever runs under the proxy's ids would go round the redirect, and could read its key. */
    private static void identities(PodView pod, List<String> problems) {
        JsonNode security = pod.spec().path("securityContext");
        for (String field : List.of("runAsUser", "runAsGroup", "fsGroup")) {
            if (isOurs(security.path(field))) {
                problems.add(reserved("securityContext.%s of %s".formatted(field, pod)));
            }
        }
        for (JsonNode group : security.path("supplementalGroups")) {
            if (isOurs(group)) {
                problems.add(reserved("securityContext.supplementalGroups of %s".formatted(pod)));
            }
        }
        for (JsonNode container : pod.everyContainer()) {
            for (String field : List.of("runAsUser", "runAsGroup")) {
                if (isOurs(container.path("securityContext").path(field))) {
                    problems.add(reserved("securityContext.%s of container %s of %s"
                            .formatted(field, container.path("name").asText(), pod)));
                }
            }
        }
    }

    private static boolean isOurs(JsonNode id) {
        return id.isIntegralNumber() && id.longValue() == SidecarContainers.ID;
    }

    private static String reserved(String place) {
        return "%s is %d, which is the proxy's own and not redirected: choose another"
                .formatted(place, SidecarContainers.ID);
    }

    /** What will not work as meant, though not for certain. */
    private static void surroundings(NamespaceView namespace, PodView pod, List<String> warnings) {
        podSecurity(namespace).ifPresent(warnings::add);
        String dns = pod.spec().path("dnsPolicy").asText();
        if (Set.of("Default", "None").contains(dns)) {
            warnings.add("%s has dnsPolicy %s: its proxy finds the controller only if %s resolves there"
                    .formatted(pod, dns, "tulle-controller.tulle-system.svc"));
        }
    }

    /** What is wrong with a namespace's own label and annotations of injection: one sentence each. */
    public static List<String> problems(NamespaceView namespace) {
        List<String> problems = new ArrayList<>();
        String label = namespace.labels().get(INJECT);
        if (label != null) {
            enabled("label %s of %s".formatted(INJECT, namespace), label, problems);
        }
        problems.addAll(TuningAnnotations.problems(namespace.annotations(), namespace.toString()));
        return problems;
    }

    /** Says of a namespace that its pods will be refused for the redirect step, if so. */
    public static Optional<String> podSecurity(NamespaceView namespace) {
        String level = namespace.labels().getOrDefault("pod-security.kubernetes.io/enforce", "privileged");
        return level.equals("privileged")
                ? Optional.empty()
                : Optional.of(
                        ("%s enforces PodSecurity '%s', which does not allow the redirect step %s its capabilities NET_ADMIN and NET_RAW: "
                                        + "label it pod-security.kubernetes.io/enforce=privileged and keep %s as its 'warn' and 'audit' level")
                                .formatted(namespace, level, SidecarContainers.REDIRECT, level));
    }

    /**
     * A meshed pod of one that {@link #decide} wants injected.
     *
     * @param pod stays as it is
     */
    public ObjectNode inject(ObjectNode pod, Tuning tuning) {
        ObjectNode meshed = pod.deepCopy();
        ObjectNode metadata = objectIn(meshed, "metadata");
        objectIn(metadata, "labels").put(MESHED, "true");
        ObjectNode annotations = objectIn(metadata, "annotations");
        annotations.put(PROXY_VERSION, settings.version());
        ObjectNode spec = objectIn(meshed, "spec");
        String first = spec.path("containers").path(0).path("name").asText();
        if (!annotations.has(DEFAULT_CONTAINER) && !first.isEmpty()) {
            annotations.put(DEFAULT_CONTAINER, first);
        }
        ObjectNode askedHealth = meshed.objectNode();
        for (String list : List.of("initContainers", "containers")) {
            for (JsonNode container : spec.path(list)) {
                if (container instanceof ObjectNode fields) {
                    Probes.turn(fields, askedHealth);
                }
            }
        }
        for (JsonNode container : spec.path("containers")) {
            if (container instanceof ObjectNode fields) {
                stopLate(fields, tuning.preStopSeconds());
            }
        }
        ArrayNode before = arrayIn(spec, "initContainers");
        before.insert(0, SidecarContainers.redirect(tuning, settings));
        before.insert(1, SidecarContainers.proxy(tuning, settings, askedHealth));
        arrayIn(spec, "volumes").addAll(SidecarContainers.volumes());
        return meshed;
    }

    /**
     * The pod that {@link #inject} made this one of, as far as that can be told: named ports of turned probes come back as numbers, and a hook or
     * default container that its author wrote just as we would is taken for ours.
     *
     * @param pod stays as it is; one without our containers comes back unchanged
     */
    public ObjectNode takeOut(ObjectNode pod) {
        ObjectNode plain = pod.deepCopy();
        PodView view = new PodView("", pod, "Pod", "");
        if (!view.hasContainer("initContainers", SidecarContainers.PROXY)
                || !(plain.get("spec") instanceof ObjectNode spec)) {
            return plain;
        }
        int preStop = TuningAnnotations.read(
                        view, NamespaceView.of("", Map.of(), Map.of()), settings.osm(), new ArrayList<>())
                .preStopSeconds();
        for (JsonNode container : spec.path("initContainers")) {
            if (container.path("name").asText().equals(SidecarContainers.PROXY)) {
                JsonNode asked = SidecarContainers.askedHealth(container);
                view(plain).everyContainer().forEach(each -> Probes.turnBack(each, asked));
            }
        }
        for (JsonNode container : spec.path("containers")) {
            if (container
                                    .path("lifecycle")
                                    .path("preStop")
                                    .path("sleep")
                                    .path("seconds")
                                    .asInt()
                            == preStop
                    && container.get("lifecycle") instanceof ObjectNode lifecycle) {
                lifecycle.remove("preStop");
                removeIfEmpty((ObjectNode) container, "lifecycle");
            }
        }
        without(spec, "initContainers", List.of(SidecarContainers.REDIRECT, SidecarContainers.PROXY));
        without(spec, "volumes", SidecarContainers.VOLUMES);
        String first = spec.path("containers").path(0).path("name").asText();
        if (plain.get("metadata") instanceof ObjectNode metadata) {
            if (metadata.get("labels") instanceof ObjectNode labels) {
                labels.remove(MESHED);
                removeIfEmpty(metadata, "labels");
            }
            if (metadata.get("annotations") instanceof ObjectNode annotations) {
                annotations.remove(PROXY_VERSION);
                if (annotations.path(DEFAULT_CONTAINER).asText().equals(first)) {
                    annotations.remove(DEFAULT_CONTAINER);
                }
                removeIfEmpty(metadata, "annotations");
            }
            removeIfEmpty(plain, "metadata");
        }
        return plain;
    }

    private static PodView view(ObjectNode pod) {
        return new PodView("", pod, "Pod", "");
    }

    private static void without(ObjectNode spec, String list, List<String> names) {
        if (spec.get(list) instanceof ArrayNode elements) {
            for (int i = elements.size() - 1; i >= 0; i--) {
                if (names.contains(elements.get(i).path("name").asText())) {
                    elements.remove(i);
                }
            }
            removeIfEmpty(spec, list);
        }
    }

    private static void removeIfEmpty(ObjectNode parent, String field) {
        if (parent.path(field).isEmpty()) {
            parent.remove(field);
        }
    }

    /** Lets an application that has no hook of its own go on for a moment, while callers learn that it ends. */
    private static void stopLate(ObjectNode container, int seconds) {
        if (seconds > 0 && !container.path("lifecycle").path("preStop").isObject()) {
            objectIn(objectIn(objectIn(container, "lifecycle"), "preStop"), "sleep")
                    .put("seconds", seconds);
        }
    }

    /** The object in a field, made where there is none or a null. */
    private static ObjectNode objectIn(ObjectNode parent, String field) {
        return parent.get(field) instanceof ObjectNode there ? there : parent.putObject(field);
    }

    private static ArrayNode arrayIn(ObjectNode parent, String field) {
        return parent.get(field) instanceof ArrayNode there ? there : parent.putArray(field);
    }
}
