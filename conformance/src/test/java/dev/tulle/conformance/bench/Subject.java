package dev.tulle.conformance.bench;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A kind of proxy that can be measured: two processes of it, in a row, with mutual TLS 1.3 between them. */
interface Subject {
    Known known();

    /** What stops it from being measured on this machine, with the cure. */
    Optional<String> missing();

    /** Its version, for the record; asked only if nothing is missing. */
    String version() throws IOException;

    /** What it does not do as the others do, for the reader of its numbers. */
    default Optional<String> handicap(Traffic traffic) {
        return Optional.empty();
    }

    /** Writes the hop's configuration into its folder and says how it is started. */
    Command prepare(Hop hop) throws IOException;

    /** Those there are; {@code DIRECT} is the way without any. */
    enum Known {
        DIRECT("direct", "direct"),
        TULLE("tulle", "Tulle"),
        NATIVE("tulle-native", "Tulle native"),
        ENVOY("envoy", "Envoy"),
        HAPROXY("haproxy", "HAProxy"),
        NGINX("nginx", "nginx");

        /** As on the command line and in JSON. */
        final String id;

        /** As in tables. */
        final String title;

        Known(String id, String title) {
            this.id = id;
            this.title = title;
        }
    }

    /**
     * How a process is started.
     *
     * @param environment in addition to ours
     */
    record Command(List<String> words, Map<String, String> environment) {
        static Command of(String... words) {
            return new Command(List.of(words), Map.of());
        }
    }
}
