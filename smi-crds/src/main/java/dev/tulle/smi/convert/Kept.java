package dev.tulle.smi.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What an object's present version cannot say: the annotation {@value #ANNOTATION}, a JSON object.
 *
 * <p>Whoever may write the object may write this too, so each taker checks the form of what it takes. An annotation that is no JSON object
 * is dropped.
 */
final class Kept {
    static final String ANNOTATION = "tulle.dev/smi-kept";

    private static final JsonMapper JSON = new JsonMapper();

    /** Ordered by name, so that the same object always gives the same text. */
    private final Map<String, JsonNode> notes = new TreeMap<>();

    private Kept() {}

    /** Reads the annotation and removes it, with the {@code annotations} if it was the only one. */
    static Kept takeFrom(ObjectNode object) {
        Kept kept = new Kept();
        if (object.path("metadata").path("annotations") instanceof ObjectNode annotations
                && annotations.has(ANNOTATION)) {
            JsonNode text = annotations.remove(ANNOTATION);
            if (annotations.isEmpty()) {
                object.withObjectProperty("metadata").remove("annotations");
            }
            try {
                JSON.readTree(text.asText())
                        .properties()
                        .forEach(note -> kept.notes.put(note.getKey(), note.getValue()));
            } catch (JsonProcessingException notOurs) {
                return kept;
            }
        }
        return kept;
    }

    /** Writes the annotation, if there is anything to keep and metadata to keep it in. */
    void putInto(ObjectNode object) {
        JsonNode metadata = object.path("metadata");
        if (!notes.isEmpty() && isObjectOrAbsent(metadata) && isObjectOrAbsent(metadata.path("annotations"))) {
            ObjectNode value = JsonNodeFactory.instance.objectNode();
            value.setAll(notes);
            object.withObjectProperty("metadata")
                    .withObjectProperty("annotations")
                    .put(ANNOTATION, value.toString());
        }
    }

    private static boolean isObjectOrAbsent(JsonNode value) {
        return value.isObject() || value.isMissingNode() || value.isNull();
    }

    /** Takes a note out. */
    Optional<JsonNode> take(String note) {
        return Optional.ofNullable(notes.remove(note));
    }

    /** Drops all other notes: no object of this version has them, unless they were copied there by hand. */
    void retain(Set<String> known) {
        notes.keySet().retainAll(known);
    }

    /** Keeps a value for later. */
    void keep(String note, JsonNode value) {
        notes.put(note, value);
    }
}
