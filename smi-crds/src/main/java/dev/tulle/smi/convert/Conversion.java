package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The ways of one kind to and from its newest version; both change the object given, but not its {@code apiVersion}. */
interface Conversion {
    /** Number of the oldest version, the 1 of {@code v1alpha1}. */
    int oldest();

    /** Number of the newest version. */
    int newest();

    /** What an object of the newest version may keep for older ones. */
    Set<String> notesOfNewest();

    /** Rewrites an object of version {@code from} as one of the newest. */
    void toNewest(ObjectNode object, int from, Kept kept);

    /** Rewrites an object of the newest version as one of version {@code to}. */
    void fromNewest(ObjectNode object, int to, Kept kept);

    /** Whether there is a version of that number. */
    default boolean has(int number) {
        return number >= oldest() && number <= newest();
    }

    /** Moves a field, also under another name; an absent one changes nothing, not even the other object. */
    static void move(ObjectNode root, String field, String specField) {
        JsonNode value = root.get(field);
        if (value != null && (root.path("spec").isObject() || !root.has("spec"))) {
            root.remove(field);
            root.withObjectProperty("spec").set(specField, value);
        }
    }

    /** The reverse of {@link #move}: takes a field out of {@code spec}, and {@code spec} away when that leaves it empty. */
    static void moveBack(ObjectNode root, String specField, String field) {
        if (root.get("spec") instanceof ObjectNode spec && spec.has(specField)) {
            root.set(field, spec.remove(specField));
            if (spec.isEmpty()) {
                root.remove("spec");
            }
        }
    }

    /** Whether a field is there and says something. */
    static boolean isSaid(@Nullable JsonNode value) {
        return value != null && !value.isNull();
    }
}
