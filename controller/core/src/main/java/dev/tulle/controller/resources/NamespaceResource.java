package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/** A Namespace, for its annotations. */
public record NamespaceResource(String name, SortedMap<String, String> annotations) {
    public NamespaceResource {
        requireNonNull(name, "name");
        annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
    }

    public ObjectRef ref() {
        return new ObjectRef("Namespace", "", name);
    }
}
