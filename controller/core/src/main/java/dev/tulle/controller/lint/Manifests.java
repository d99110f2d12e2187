package dev.tulle.controller.lint;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.Resources;
import java.util.List;

/**
 * Everything that is to be looked at.
 *
 * @param resources as the controller would read it
 * @param objects as they were written
 * @param extent how much of the world that is
 */
public record Manifests(Resources resources, List<Manifest> objects, Extent extent) {
    public Manifests {
        requireNonNull(resources, "resources");
        objects = List.copyOf(objects);
        requireNonNull(extent, "extent");
    }

    /** How much of the world is known: what is missing from a part may be in the rest. */
    public enum Extent {
        /** Everything: what is not here is not there. */
        CLUSTER,
        /** Some files: a namespace of which a Service or a workload is among them counts as known. */
        FILES
    }
}
