package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

/**
 * Something wrong in one field of a document.
 *
 * @param field path in the document as its author wrote it, such as {@code spec.backends[1].weight}
 * @param message what is wrong, then what to do about it, in one line
 */
public record FieldProblem(String field, String message) {
    public FieldProblem {
        requireNonNull(field, "field");
        requireNonNull(message, "message");
    }

    /** Field and message in one line. */
    @Override
    public String toString() {
        return field + ": " + message;
    }
}
