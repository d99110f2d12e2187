package dev.tulle.proxy.routing;

import static java.util.Objects.requireNonNull;

import java.util.Locale;

/** What became of a request target: one spelling of its path, or a refusal. */
public sealed interface NormalizedPath {
    /**
     * A target that may be judged and forwarded.
     *
     * @param target path and query to forward; ASCII, no spaces or control characters
     * @param path what rules and routes see: {@code target} up to its query
     */
    record Normal(String target, String path) implements NormalizedPath {
        public Normal {
            requireNonNull(target, "target");
            requireNonNull(path, "path");
        }
    }

    /** A target that different readers could take for different paths: answered with 400. */
    record Refused(Reason reason) implements NormalizedPath {
        public Refused {
            requireNonNull(reason, "reason");
        }
    }

    /** Why a target is refused; the wire word is also the value of {@code x-tulle-reason}. */
    enum Reason {
        /** Neither a path that begins with a slash nor {@code *}. */
        NOT_A_PATH,
        PATH_TOO_LONG,
        /** A space, control character or byte that is not part of a URI. */
        BAD_CHARACTER,
        /** A percent sign without two hexadecimal digits, or bytes that are not UTF-8. */
        BAD_ENCODING,
        /** An encoded slash, an encoded or plain backslash, or an encoded control character. */
        ENCODED_SEPARATOR,
        /** Decoded twice it would have another slash or dot segment. */
        DOUBLE_ENCODING,
        /** A dot segment with a parameter, as in {@code /..;/}. */
        DOT_SEGMENT_PARAMETER;

        /** The reason in lower case with hyphens. */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
