package dev.tulle.cli.migrate;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;

/**
 * What became of one thing.
 *
 * @param outcome how well it went
 * @param file where the object stands
 * @param object such as {@code Retry shop/retries}
 * @param field of it, or empty for the object as a whole
 * @param said what stands there now, or how it differs, or what is lost; one sentence
 * @param cure what is left for people to do, or empty
 */
public record Note(Outcome outcome, String file, String object, String field, String said, String cure) {
    /** By object and field, each object where its file has it. */
    public static final Comparator<Note> ORDER = Comparator.comparing(Note::file)
            .thenComparing(Note::object)
            .thenComparing(Note::field)
            .thenComparing(Note::said);

    public Note {
        requireNonNull(outcome, "outcome");
        requireNonNull(file, "file");
        requireNonNull(object, "object");
        requireNonNull(field, "field");
        requireNonNull(said, "said");
        requireNonNull(cure, "cure");
    }

    /** How well something went. */
    public enum Outcome {
        /** It means the same. */
        DONE,
        /** It means nearly the same: the note says how it differs. */
        APPROXIMATED,
        /** It means nothing any more: the note says what to do instead. */
        UNSUPPORTED,
        /** It has nothing to do with the mesh, and is as it was. */
        UNTOUCHED
    }
}
