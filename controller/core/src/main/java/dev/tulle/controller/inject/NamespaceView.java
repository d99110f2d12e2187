package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What counts of a namespace.
 *
 * @param labels of it, in order
 * @param annotations of it, in order
 */
public record NamespaceView(String name, SortedMap<String, String> labels, SortedMap<String, String> annotations) {
    public NamespaceView {
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
        annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
    }

    /** Copies both maps. */
    public static NamespaceView of(String name, Map<String, String> labels, Map<String, String> annotations) {
        return new NamespaceView(name, new TreeMap<>(labels), new TreeMap<>(annotations));
    }

    /** The entries of an object of texts; anything else is passed over. */
    static SortedMap<String, String> words(JsonNode object) {
        SortedMap<String, String> words = new TreeMap<>();
        object.properties().forEach(entry -> {
            if (entry.getValue().isTextual()) {
                words.put(entry.getKey(), entry.getValue().textValue());
            }
        });
        return words;
    }

    @Override
    public String toString() {
        return "Namespace " + name;
    }
}
