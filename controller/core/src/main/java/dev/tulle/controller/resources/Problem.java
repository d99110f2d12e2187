package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.Optional;

/**
 * Something wrong with one object or file, and what was done about it; everything else goes on.
 *
 * @param severity how much is lost
 * @param object absent when not even that could be read
 * @param place where it stands; absent for objects that come from no file
 * @param field path of the field ({@code spec.backends[0].weight}), or empty
 * @param message what is wrong and how to cure it, one sentence
 * @param outcome what was done instead, one sentence
 * @param missing what is referred to and is not there, where that is the problem: an object, or the {@code Endpoints} of a Service. Whoever
 *     has seen only a part of everything knows by it what may be in the other part
 */
public record Problem(
        Severity severity,
        Optional<ObjectRef> object,
        Optional<Place> place,
        String field,
        String message,
        String outcome,
        Optional<ObjectRef> missing) {
    /** By file, line, object, field and message: the order of every list of problems. */
    public static final Comparator<Problem> ORDER = Comparator.comparing(
                    (Problem problem) -> problem.place().map(Place::file).orElse(""))
            .thenComparing(problem -> problem.place().map(Place::line).orElse(0))
            .thenComparing(problem -> problem.object().map(ObjectRef::toString).orElse(""))
            .thenComparing(Problem::field)
            .thenComparing(Problem::message)
            .thenComparing(Problem::severity)
            .thenComparing(Problem::outcome);

    /** One of something that is there. */
    public Problem(
            Severity severity,
            Optional<ObjectRef> object,
            Optional<Place> place,
            String field,
            String message,
            String outcome) {
        this(severity, object, place, field, message, outcome, Optional.empty());
    }

    public Problem {
        requireNonNull(severity, "severity");
        requireNonNull(object, "object");
        requireNonNull(place, "place");
        requireNonNull(field, "field");
        requireNonNull(message, "message");
        requireNonNull(outcome, "outcome");
        requireNonNull(missing, "missing");
    }

    /** How much is lost. */
    public enum Severity {
        /** An object, or part of it, has no effect. */
        ERROR,
        /** It has effect, probably not the one that was meant. */
        WARNING,
        /** Worth knowing; normal while things are set up. */
        INFO
    }

    /** One line for people: {@code shop.yaml:12: TrafficSplit shop/reviews, spec.backends[0].weight: … -> …}. */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder();
        place.ifPresent(at -> line.append(at).append(": "));
        object.ifPresent(ref -> line.append(ref).append(field.isEmpty() ? ": " : ", "));
        if (!field.isEmpty()) {
            line.append(field).append(": ");
        }
        return line.append(message).append(" -> ").append(outcome).toString();
    }
}
