package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/** A message of a proxy on the discovery stream; one JSON object a line, its {@code type} is the record's name in lower case. */
public sealed interface ToController {
    /**
     * First on every stream.
     *
     * @param workload who asks; its identity must be the certificate's
     * @param instance differs between two runs of the same workload
     * @param proxyVersion for people
     * @param protocol {@link #PROTOCOL}
     * @param held highest config version held from an earlier stream, 0 for none
     */
    record Hello(WorkloadId workload, String instance, String proxyVersion, int protocol, long held)
            implements ToController {
        /** The version of this contract. */
        public static final int PROTOCOL = 1;

        public Hello {
            requireNonNull(workload, "workload");
            requireNonNull(instance, "instance");
            requireNonNull(proxyVersion, "proxyVersion");
        }
    }

    /** Asks for a destination and every later change of it. */
    record Watch(DestinationKey destination) implements ToController {
        public Watch {
            requireNonNull(destination, "destination");
        }
    }

    /** No longer needs a destination. */
    record Unwatch(DestinationKey destination) implements ToController {
        public Unwatch {
            requireNonNull(destination, "destination");
        }
    }

    /** The message of this version is in effect. */
    record Ack(long version) implements ToController {}

    /** The message of this version could not be used; the last good one stays in effect. */
    record Nack(long version, String error) implements ToController {
        public Nack {
            requireNonNull(error, "error");
        }
    }

    /** Whether the application behind the proxy is well; sent at once when it changes. */
    record Health(boolean ready, String detail) implements ToController {
        public Health {
            requireNonNull(detail, "detail");
        }
    }

    /** What was seen since the last report; every {@value #SECONDS} seconds. */
    record Reported(Report report) implements ToController {
        public static final int SECONDS = 5;

        public Reported {
            requireNonNull(report, "report");
        }
    }
}
