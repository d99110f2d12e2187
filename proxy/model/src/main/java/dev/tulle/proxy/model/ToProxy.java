package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/** A message of the controller on the discovery stream; one JSON object a line, its {@code type} is the record's name in lower case. */
public sealed interface ToProxy {
    /** Grows by one with each message of a stream, across reconnects too. */
    long version();

    /** The proxy's own side, whole. */
    record Workload(long version, WorkloadConfig config) implements ToProxy {
        public Workload {
            requireNonNull(config, "config");
        }
    }

    /** One watched destination, whole. */
    record Watched(long version, Destination destination) implements ToProxy {
        public Watched {
            requireNonNull(destination, "destination");
        }
    }

    /** The trust bundle, whole. */
    record Trust(long version, TrustBundle bundle) implements ToProxy {
        public Trust {
            requireNonNull(bundle, "bundle");
        }
    }
}
