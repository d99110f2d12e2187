package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/** What a document turned out to be. */
public sealed interface Parsed {
    /** A usable object. {@code warnings} name what was read otherwise than written. */
    record Ok(SmiObject object, List<FieldProblem> warnings) implements Parsed {
        public Ok {
            requireNonNull(object, "object");
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * Not usable.
     *
     * @param problems at least one
     * @param protects of a TrafficTarget whose destination could still be read: the same target without sources and rules. It grants
     *     nothing, and keeps closed what the broken one was meant to guard
     */
    record Bad(List<FieldProblem> problems, Optional<TrafficTarget> protects) implements Parsed {
        public Bad {
            problems = List.copyOf(problems);
            requireNonNull(protects, "protects");
            if (problems.isEmpty()) {
                throw new IllegalArgumentException("no problem named");
            }
        }
    }
}
