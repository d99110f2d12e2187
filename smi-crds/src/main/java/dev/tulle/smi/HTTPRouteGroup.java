package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * Named descriptions of HTTP requests (SMI specs v1alpha4).
 *
 * @param matches in the order of the document: those of {@code spec.matches}, or of the root where {@code spec} has none
 */
public record HTTPRouteGroup(SmiMetadata metadata, List<Match> matches) implements SmiObject {
    /** The methods an entry can name, beside {@code *}. */
    public static final List<String> METHODS =
            List.of("GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

    public HTTPRouteGroup {
        requireNonNull(metadata, "metadata");
        matches = List.copyOf(matches);
    }

    @Override
    public SmiKind kind() {
        return SmiKind.HTTP_ROUTE_GROUP;
    }

    /**
     * One entry: path AND method AND every header.
     *
     * @param pathRegex as written, not yet compiled; absent means any path
     * @param methods some of {@link #METHODS} in the order of the document; empty means any method, and is what {@code *} becomes
     * @param headers all must hold, one condition a name
     */
    public record Match(String name, Optional<String> pathRegex, List<String> methods, List<Header> headers) {
        public Match {
            requireNonNull(name, "name");
            requireNonNull(pathRegex, "pathRegex");
            methods = List.copyOf(methods);
            headers = List.copyOf(headers);
        }
    }

    /**
     * A condition on one header.
     *
     * @param name lower case
     * @param regex as written, not yet compiled
     */
    public record Header(String name, String regex) {
        public Header {
            requireNonNull(name, "name");
            requireNonNull(regex, "regex");
        }
    }
}
