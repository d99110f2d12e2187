package dev.tulle.controller.watch;

import dev.tulle.smi.FieldProblem;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.TrafficSplit;
import dev.tulle.smi.TrafficTarget;
import java.util.List;
import java.util.Optional;

/** What is done with an SMI object that was read: a bad one never opens a door, and never stops a split that works. */
final class SmiObjects {
    /** Outcome of a mere warning. */
    static final String STILL_HOLDS = "the object holds all the same";

    private SmiObjects() {}

    /**
     * What holds of an object.
     *
     * @param value what takes effect
     * @param errors why it is not what was written
     * @param warnings what is doubtful
     * @param outcome what was done about the errors
     */
    record Taken(Optional<SmiObject> value, List<FieldProblem> errors, List<FieldProblem> warnings, String outcome) {}

    /**
     * Takes what was read, or what may stand in for it.
     *
     * @param kind as its document wrote it
     * @param last what took effect before
     */
    static Taken take(String kind, Parsed parsed, Optional<Object> last) {
        return switch (parsed) {
            case Parsed.Ok(SmiObject object, List<FieldProblem> warnings) ->
                new Taken(Optional.of(object), List.of(), warnings, "");
            case Parsed.Bad(List<FieldProblem> bad, Optional<TrafficTarget> protects) ->
                switch (kind) {
                    case "TrafficSplit" -> {
                        Optional<SmiObject> kept =
                                last.filter(TrafficSplit.class::isInstance).map(SmiObject.class::cast);
                        yield new Taken(kept, bad, List.of(), kept.isPresent() ? "kept as it was before" : "left out");
                    }
                    case "TrafficTarget" -> {
                        Optional<TrafficTarget> guard = protects.or(() -> last.filter(TrafficTarget.class::isInstance)
                                .map(TrafficTarget.class::cast)
                                .map(SmiObjects::onlyGuarding));
                        yield new Taken(
                                guard.map(SmiObject.class::cast),
                                bad,
                                List.of(),
                                guard.map(target -> "grants nothing; service account %s/%s stays closed"
                                                .formatted(
                                                        target.destination().namespace(),
                                                        target.destination().name()))
                                        .orElse("grants nothing"));
                    }
                    default ->
                        new Taken(Optional.empty(), bad, List.of(), "left out; what refers to it grants nothing");
                };
        };
    }

    /** A target that closes what it guards and grants nothing. */
    static TrafficTarget onlyGuarding(TrafficTarget target) {
        return new TrafficTarget(target.metadata(), target.destination(), Optional.empty(), List.of(), List.of());
    }
}
