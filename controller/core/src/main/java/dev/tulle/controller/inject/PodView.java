package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/**
 * A pod or pod template as it is looked at.
 *
 * @param namespace where it will be, which a template does not say
 * @param tree has {@code metadata} and {@code spec}
 * @param kind for messages: {@code Pod}, or the kind of the object whose template it is
 * @param name for messages
 */
record PodView(String namespace, JsonNode tree, String kind, String name) {
    JsonNode metadata() {
        return tree.path("metadata");
    }

    JsonNode spec() {
        return tree.path("spec");
    }

    SortedMap<String, String> labels() {
        return NamespaceView.words(metadata().path("labels"));
    }

    SortedMap<String, String> annotations() {
        return NamespaceView.words(metadata().path("annotations"));
    }

    /** Init containers, then the others. */
    List<JsonNode> everyContainer() {
        List<JsonNode> all = new ArrayList<>();
        spec().path("initContainers").forEach(all::add);
        spec().path("containers").forEach(all::add);
        return all;
    }

    boolean hasContainer(String list, String container) {
        for (JsonNode each : spec().path(list)) {
            if (each.path("name").asText().equals(container)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return "%s %s/%s".formatted(kind, namespace, name);
    }
}
