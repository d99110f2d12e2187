package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A namespace of this run and the objects in it, in any version of their API.
 *
 * <p>Objects go to the API server as they are written and come back as JSON as it gives them: no type of ours is between. Safe for use by many
 * threads.
 */
public final class Place {
    /** Statuses of validation and of admission. */
    private static final Set<Integer> REFUSALS = Set.of(400, 403, 422);

    private final Cluster cluster;
    private final String name;
    private final Deque<Reference> applied = new ArrayDeque<>();

    private Place(Cluster cluster, String name) {
        this.cluster = cluster;
        this.name = name;
    }

    static Place create(Cluster cluster, String name, boolean meshed) {
        Place place = new Place(cluster, name);
        ObjectNode namespace = Json.MAPPER.createObjectNode();
        namespace.put("apiVersion", "v1").put("kind", "Namespace");
        ObjectNode metadata = namespace.putObject("metadata").put("name", name);
        if (meshed) {
            cluster.target().labels().forEach(metadata.putObject("labels")::put);
            cluster.target().annotations().forEach(metadata.putObject("annotations")::put);
        }
        cluster.client()
                .genericKubernetesResources("v1", "Namespace")
                .resource(generic(namespace))
                .create();
        Within.eventually(
                Within.OBJECT,
                "the service account default of " + name,
                () -> place.read("v1", "ServiceAccount", "default"));
        return place;
    }

    public String name() {
        return name;
    }

    /**
     * Writes the objects of a YAML text, in its order: creates what is not there, else patches by a JSON merge patch, as the published suite does.
     * {@code @NAMESPACE@} in it becomes this namespace's name. What a case wrote is deleted after it.
     *
     * @throws io.fabric8.kubernetes.client.KubernetesClientException if the API server refuses one
     */
    public void apply(String yaml) {
        for (JsonNode object : Json.yaml(yaml.replace("@NAMESPACE@", name))) {
            Reference reference = Reference.of(object);
            Resource<GenericKubernetesResource> resource = resource(reference);
            if (resource.get() == null) {
                synchronized (applied) {
                    applied.push(reference);
                }
                client().genericKubernetesResources(reference.apiVersion(), reference.kind())
                        .inNamespace(name)
                        .resource(generic(object))
                        .create();
            } else {
                resource.patch(PatchContext.of(PatchType.JSON_MERGE), Json.write(object));
            }
        }
    }

    /**
     * {@link #apply}, where a specification lets a mesh refuse the object instead.
     *
     * @return the words of the refusal; absent if all was taken. An API server that cannot take it, for the kind is not there or a webhook does
     *     not answer, is no refusal
     */
    public Optional<String> applyUnlessRefused(String yaml) {
        try {
            apply(yaml);
            return Optional.empty();
        } catch (KubernetesClientException e) {
            if (!REFUSALS.contains(e.getCode())) {
                throw e;
            }
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** An object as the API server gives it in that version. */
    public JsonNode read(String apiVersion, String kind, String object) {
        return find(apiVersion, kind, object)
                .orElseThrow(() ->
                        new AssertionError("there is no %s %s (%s) in %s".formatted(kind, object, apiVersion, name)));
    }

    /** The same, if it is there. */
    public Optional<JsonNode> find(String apiVersion, String kind, String object) {
        return Optional.ofNullable(
                        resource(new Reference(apiVersion, kind, object)).get())
                .map(found -> Json.MAPPER.<JsonNode>valueToTree(found));
    }

    /** Fails unless each object of a YAML text is there, with each of its fields as written and its lists no longer. */
    public void assertThere(String yaml) {
        for (JsonNode object : Json.yaml(yaml.replace("@NAMESPACE@", name))) {
            Reference reference = Reference.of(object);
            List<String> missing =
                    Json.missing(object, read(reference.apiVersion(), reference.kind(), reference.name()), "");
            if (!missing.isEmpty()) {
                throw new AssertionError("%s %s, read back as %s: %s"
                        .formatted(
                                reference.kind(),
                                reference.name(),
                                reference.apiVersion(),
                                String.join("; ", missing)));
            }
        }
    }

    /** Merges a patch (YAML or JSON) into an object, in that version. */
    public void patch(String apiVersion, String kind, String object, String patch) {
        resource(new Reference(apiVersion, kind, object))
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        Json.write(Json.yaml(patch).getFirst()));
    }

    /** Deletes an object and waits until it is gone. */
    public void delete(String apiVersion, String kind, String object) {
        Resource<GenericKubernetesResource> resource = resource(new Reference(apiVersion, kind, object));
        resource.withGracePeriod(0).delete();
        Within.eventually(Within.OBJECT, "%s %s is gone".formatted(kind, object), () -> {
            if (resource.get() != null) {
                throw new AssertionError("it is still there");
            }
        });
    }

    /** The events about an object, oldest first, each {@code Type Reason: message}. */
    public List<String> events(String kind, String object) {
        return client().v1().events().inNamespace(name).list().getItems().stream()
                .filter(event -> kind.equals(event.getInvolvedObject().getKind())
                        && object.equals(event.getInvolvedObject().getName()))
                .map(event -> "%s %s: %s".formatted(event.getType(), event.getReason(), event.getMessage()))
                .toList();
    }

    /** The ClusterIP of a Service. */
    public String clusterIp(String service) {
        return read("v1", "Service", service).at("/spec/clusterIP").asText();
    }

    /** Waits until all pods that are here are ready; fails with what they say of themselves. */
    public void awaitReady() {
        Within.eventually(Within.START, "the pods of %s are ready".formatted(name), () -> {
            String unready = unready();
            if (!unready.isEmpty()) {
                throw new AssertionError(unready);
            }
        });
    }

    /** The pods that are not ready, and what they say of themselves; empty if all are. */
    public String unready() {
        List<String> unready = new ArrayList<>();
        for (var pod : client().pods().inNamespace(name).list().getItems()) {
            JsonNode status = Json.MAPPER.valueToTree(pod.getStatus());
            boolean ready = false;
            for (JsonNode condition : status.path("conditions")) {
                ready |= condition.path("type").asText().equals("Ready")
                        && condition.path("status").asText().equals("True");
            }
            if (!ready) {
                unready.add(pod.getMetadata().getName() + ": " + why(status));
            }
        }
        return String.join("; ", unready);
    }

    private static String why(JsonNode status) {
        List<String> reasons = new ArrayList<>();
        for (String list : List.of("initContainerStatuses", "containerStatuses")) {
            for (JsonNode container : status.path(list)) {
                JsonNode state = container.path("state");
                if (state.has("waiting")) {
                    reasons.add("%s waits, %s %s"
                            .formatted(
                                    container.path("name").asText(),
                                    state.at("/waiting/reason").asText(),
                                    state.at("/waiting/message").asText()));
                } else if (!container.path("ready").asBoolean()) {
                    reasons.add(container.path("name").asText() + " is not ready");
                }
            }
        }
        return status.path("phase").asText() + " " + String.join(", ", reasons);
    }

    /** Forgets what was applied until now, so that it stays as long as the namespace does. */
    void keepApplied() {
        synchronized (applied) {
            applied.clear();
        }
    }

    /** Deletes what was applied since {@link #keepApplied}, the last one first. */
    void deleteApplied() {
        while (true) {
            Reference reference;
            synchronized (applied) {
                if (applied.isEmpty()) {
                    return;
                }
                reference = applied.pop();
            }
            delete(reference.apiVersion(), reference.kind(), reference.name());
        }
    }

    KubernetesClient client() {
        return cluster.client();
    }

    Cluster cluster() {
        return cluster;
    }

    private Resource<GenericKubernetesResource> resource(Reference reference) {
        return client().genericKubernetesResources(reference.apiVersion(), reference.kind())
                .inNamespace(name)
                .withName(reference.name());
    }

    private static GenericKubernetesResource generic(JsonNode object) {
        return Json.MAPPER.convertValue(object, GenericKubernetesResource.class);
    }

    /** Which object, in which version. */
    private record Reference(String apiVersion, String kind, String name) {
        static Reference of(JsonNode object) {
            return new Reference(
                    object.path("apiVersion").asText(),
                    object.path("kind").asText(),
                    object.at("/metadata/name").asText());
        }
    }
}
