package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Converts SMI objects between their versions. */
public final class SmiConverter {
    private SmiConverter() {}

    /**
     * The same object in another version of its kind.
     *
     * @param object stays as it is
     * @param desiredApiVersion group and version, such as {@code split.smi-spec.io/v1alpha2}
     * @throws IllegalArgumentException if the object is no SMI object, or its kind has no such version
     */
    public static ObjectNode convert(ObjectNode object, String desiredApiVersion) {
        if (object.path("apiVersion").asText().equals(desiredApiVersion)) {
            return object.deepCopy();
        }
        throw new IllegalArgumentException("not converted yet: " + object.path("kind"));
    }
}
