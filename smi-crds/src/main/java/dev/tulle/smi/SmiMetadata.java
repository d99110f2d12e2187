package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Who an SMI object is.
 *
 * @param namespace {@code default} where the document names none
 * @param labels in the order of the document
 * @param annotations in the order of the document, without the one that conversion between versions keeps for itself
 * @param creationTimestamp when the API server made it; absent in files
 * @param uid identity given by the API server; absent in files
 */
public record SmiMetadata(
        String name,
        String namespace,
        Map<String, String> labels,
        Map<String, String> annotations,
        Optional<Instant> creationTimestamp,
        Optional<String> uid) {
    public SmiMetadata {
        requireNonNull(name, "name");
        requireNonNull(namespace, "namespace");
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
        annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        requireNonNull(creationTimestamp, "creationTimestamp");
        requireNonNull(uid, "uid");
    }

    /** Metadata of a name and a namespace alone. */
    public static SmiMetadata of(String namespace, String name) {
        return new SmiMetadata(name, namespace, Map.of(), Map.of(), Optional.empty(), Optional.empty());
    }

    /** The object among those of its kind, as {@code namespace/name}. */
    public String id() {
        return namespace + "/" + name;
    }
}
