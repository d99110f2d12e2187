package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One entry of an HTTPRouteGroup: path AND method AND every header (SMI specs v1alpha4, HTTPRouteGroup).
 *
 * @param name {@code group/entry}, for explanations and metrics
 * @param path empty for any path
 * @param methods upper-case tokens; empty for any method ({@code *} is translated to empty)
 * @param headers all must hold
 */
public record HttpMatch(String name, Optional<PathPattern> path, List<String> methods, List<HeaderPattern> headers) {
    public HttpMatch {
        requireNonNull(name, "name");
        requireNonNull(path, "path");
        methods = List.copyOf(methods);
        headers = List.copyOf(headers);
    }

    /**
     * A path condition.
     *
     * @param regex RE2 syntax, matched from the start of the normalised path without its query
     * @param full whether the match must also end where the path ends (setting {@code tulle.dev/path-match: full})
     */
    public record PathPattern(String regex, boolean full) {
        public PathPattern {
            requireNonNull(regex, "regex");
        }
    }

    /**
     * A header condition.
     *
     * @param name lower case; {@code host} stands for the authority
     * @param regex RE2 syntax, must match each whole value; an absent header never matches
     */
    public record HeaderPattern(String name, String regex) {
        public HeaderPattern {
            name = requireNonNull(name, "name").toLowerCase(Locale.ROOT);
            requireNonNull(regex, "regex");
        }
    }
}
