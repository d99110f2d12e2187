package dev.tulle.controller.lint;

import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collects findings and finds the place of each; of one field an error says enough. Not thread-safe. */
final class Findings {
    private final Map<ObjectRef, Origin> origins;
    private final List<Finding> found = new ArrayList<>();

    Findings(Map<ObjectRef, Origin> origins) {
        this.origins = origins;
    }

    void add(Level level, String rule, ObjectRef object, String field, String cause, String effect, String cure) {
        found.add(new Finding(
                level,
                rule,
                Optional.of(object),
                Optional.ofNullable(origins.get(object)).map(origin -> origin.at(field)),
                field,
                cause,
                effect,
                cure));
    }

    void error(String rule, ObjectRef object, String field, String cause, String effect, String cure) {
        add(Level.ERROR, rule, object, field, cause, effect, cure);
    }

    void warning(String rule, ObjectRef object, String field, String cause, String effect, String cure) {
        add(Level.WARNING, rule, object, field, cause, effect, cure);
    }

    /** A message of a reader, which has cause and cure in one sentence. */
    void message(Level level, String rule, ObjectRef object, String field, String message, String effect) {
        CauseAndCure halves = CauseAndCure.of(message);
        add(level, rule, object, field, halves.cause(), effect, halves.cure());
    }

    void add(Finding finding) {
        found.add(finding);
    }

    /** How the author wrote a field whose path differs between API versions. */
    String asWritten(ObjectRef object, String newest, String older) {
        Origin origin = origins.get(object);
        return origin != null && !origin.has(newest) && origin.has(older) ? older : newest;
    }

    List<Finding> found() {
        return List.copyOf(found);
    }
}
