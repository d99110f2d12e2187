package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where objects that make pods say what these look like. */
public final class PodTemplates {
    private static final List<String> TEMPLATE = List.of("spec", "template");

    /** API group and kind to the way to the template. */
    private static final Map<String, List<String>> PATHS = Map.of(
            "/Pod", List.of(),
            "apps/Deployment", TEMPLATE,
            "apps/StatefulSet", TEMPLATE,
            "apps/DaemonSet", TEMPLATE,
            "apps/ReplicaSet", TEMPLATE,
            "/ReplicationController", TEMPLATE,
            "batch/Job", TEMPLATE,
            "batch/CronJob", List.of("spec", "jobTemplate", "spec", "template"));

    private PodTemplates() {}

    /** Field by field from the object to its template; empty for a Pod, which is its own; absent for a kind that makes no pods. */
    public static Optional<List<String>> path(JsonNode object) {
        String apiVersion = object.path("apiVersion").asText();
        String group = apiVersion.contains("/") ? apiVersion.substring(0, apiVersion.indexOf('/')) : "";
        return Optional.ofNullable(PATHS.get(group + "/" + object.path("kind").asText()));
    }

    /** The template; absent also where the object has none. */
    public static Optional<ObjectNode> of(JsonNode object) {
        return path(object).flatMap(path -> {
            JsonNode at = object;
            for (String field : path) {
                at = at.path(field);
            }
            return at instanceof ObjectNode template ? Optional.of(template) : Optional.empty();
        });
    }
}
