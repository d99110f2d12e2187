package dev.tulle.controller.lint;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Origin;
import java.util.Optional;

/**
 * One object as its author wrote it.
 *
 * @param ref its name
 * @param content the whole document, which nobody changes
 * @param origin where it stands; absent for an object of a cluster
 * @param pod what its pods are called among the resources, for a kind that makes pods
 */
public record Manifest(ObjectRef ref, ObjectNode content, Optional<Origin> origin, Optional<ObjectRef> pod) {
    public Manifest {
        requireNonNull(ref, "ref");
        requireNonNull(content, "content");
        requireNonNull(origin, "origin");
        requireNonNull(pod, "pod");
    }
}
