package dev.tulle.cli.migrate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.cli.migrate.Note.Outcome;
import dev.tulle.cli.migrate.Objects.Item;
import dev.tulle.controller.inject.TuningAnnotations;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes what other meshes call injection and its words as Tulle's, on namespaces and on pod templates. */
final class PodWords {
    static final String INJECT = "tulle.dev/inject";

    private final Objects objects;

    PodWords(Objects objects) {
        this.objects = objects;
    }

    /** The label that asks for a proxy. */
    void inject(Item item, ObjectNode on, String field, String value, String difference) {
        Objects.labels(on).put(INJECT, value);
        objects.note(
                difference.isEmpty() ? Outcome.DONE : Outcome.APPROXIMATED,
                item,
                field,
                "label %s: %s%s".formatted(INJECT, value, difference.isEmpty() ? "" : "; " + difference),
                "");
    }

    /**
     * One word of injection.
     *
     * @param word without prefix, such as {@code skip-inbound-ports}
     * @return whether it could be said
     */
    boolean tune(Item item, ObjectNode on, String field, String word, String value, String difference) {
        String key = TuningAnnotations.PREFIX + word;
        List<String> problems = TuningAnnotations.problems(Map.of(key, value), "it");
        if (!problems.isEmpty()) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    item,
                    field,
                    problems.getFirst(),
                    "write %s with a value that fits, or leave it out".formatted(key));
            return false;
        }
        ObjectNode annotations = Objects.annotations(on);
        String before = annotations.path(key).asText("");
        boolean isList = word.startsWith("skip-") || word.equals(TuningAnnotations.OPAQUE_PORTS);
        annotations.put(key, before.isEmpty() || !isList || before.equals(value) ? value : before + "," + value);
        objects.note(
                difference.isEmpty() ? Outcome.DONE : Outcome.APPROXIMATED,
                item,
                field,
                "annotation %s: \"%s\"%s".formatted(key, value, difference.isEmpty() ? "" : "; " + difference),
                "");
        return true;
    }

    /** An annotation that becomes one word. */
    void translate(Item item, ObjectNode on, String prefix, String theirs, String word) {
        Optional<String> value = Objects.take(on, "annotations", theirs);
        value.ifPresent(text -> tune(item, on, prefix + "metadata.annotations." + theirs, word, text.strip(), ""));
    }
}
