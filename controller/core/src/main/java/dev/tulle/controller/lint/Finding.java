package dev.tulle.controller.lint;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Place;
import java.util.Comparator;
import java.util.Optional;

/**
 * Something wrong or doubtful in one object.
 *
 * @param level how bad it is
 * @param rule stable name of the rule that found it, such as {@code missing-service}
 * @param object absent when not even that could be read
 * @param place where it stands; absent for objects that come from no file
 * @param field path of the field ({@code spec.backends[0].weight}), or empty
 * @param cause what is there, a clause
 * @param effect what comes of it, a clause, or empty
 * @param cure what to do, a clause
 */
public record Finding(
        Level level,
        String rule,
        Optional<ObjectRef> object,
        Optional<Place> place,
        String field,
        String cause,
        String effect,
        String cure) {
    /** By file, line, object and field: the order of every list of findings. */
    public static final Comparator<Finding> ORDER = Comparator.comparing(
                    (Finding finding) -> finding.place().map(Place::file).orElse(""))
            .thenComparing(finding -> finding.place().map(Place::line).orElse(0))
            .thenComparing(finding -> finding.object().map(ObjectRef::toString).orElse(""))
            .thenComparing(Finding::field)
            .thenComparing(Finding::level)
            .thenComparing(Finding::rule)
            .thenComparing(Finding::cause);

    public Finding {
        requireNonNull(level, "level");
        requireNonNull(rule, "rule");
        requireNonNull(object, "object");
        requireNonNull(place, "place");
        requireNonNull(field, "field");
        requireNonNull(cause, "cause");
        requireNonNull(effect, "effect");
        requireNonNull(cure, "cure");
    }

    /** How bad a finding is. */
    public enum Level {
        /** The object, or a part of it, is refused or has no effect. */
        ERROR,
        /** It has an effect, probably not the one that was meant. */
        WARNING,
        /** Worth knowing; normal while things are set up. */
        INFO
    }

    /** The same at another level. */
    Finding at(Level other) {
        return new Finding(other, rule, object, place, field, cause, effect, cure);
    }

    /** The same of another object. */
    Finding of(ObjectRef other, Optional<Place> otherPlace, String otherField) {
        return new Finding(level, rule, Optional.of(other), otherPlace, otherField, cause, effect, cure);
    }

    /** Object, field, cause and cure in one line, as the API server passes it on to people. */
    public String sentence() {
        String name = object.map(ObjectRef::toString).orElse("the object");
        String end = cure.isEmpty() ? cause : cause + ": " + cure;
        if (cause.contains(name)) {
            return end;
        }
        if (field.startsWith(ANNOTATIONS)) {
            return "annotation %s of %s: %s".formatted(field.substring(ANNOTATIONS.length()), name, end);
        }
        return field.isEmpty() ? "%s: %s".formatted(name, end) : "%s, %s: %s".formatted(name, field, end);
    }

    /** What the field of an annotation begins with. */
    static final String ANNOTATIONS = "metadata.annotations.";
}
