package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * How callers treat a Service that is slow, ill or asked too much, as its annotations say; everything is off unless said.
 *
 * @param timeouts how long a call may take
 * @param retries whether a failed call is sent again
 * @param ejection whether failing endpoints are left out for a while
 * @param capacity how much at once
 * @param faults what is made to fail on purpose, all of them in turn
 * @param ownZoneFirst whether endpoints of the caller's zone come before others
 */
public record Resilience(
        Timeouts timeouts,
        Optional<Retries> retries,
        Optional<Ejection> ejection,
        Capacity capacity,
        List<Fault> faults,
        boolean ownZoneFirst) {
    /** Nothing of all that. */
    public static final Resilience NONE =
            new Resilience(Timeouts.NONE, Optional.empty(), Optional.empty(), Capacity.UNLIMITED, List.of(), false);

    /** Most faults of one Service. */
    public static final int MAX_FAULTS = 8;

    public Resilience {
        requireNonNull(timeouts, "timeouts");
        requireNonNull(retries, "retries");
        requireNonNull(ejection, "ejection");
        requireNonNull(capacity, "capacity");
        faults = List.copyOf(faults);
        if (faults.size() > MAX_FAULTS) {
            throw new IllegalArgumentException("%d faults are more than %d".formatted(faults.size(), MAX_FAULTS));
        }
    }

    /**
     * Limits of time, milliseconds; 0 is none.
     *
     * @param totalMillis from the head of the request to the end of the answer, all tries together
     * @param perTryMillis from sending it to the head of the answer
     * @param idleMillis while nothing is sent or received
     */
    public record Timeouts(long totalMillis, long perTryMillis, long idleMillis) {
        public static final Timeouts NONE = new Timeouts(0, 0, 0);

        /** The longest, a day. */
        public static final long MAX_MILLIS = 86_400_000;

        public Timeouts {
            for (long millis : new long[] {totalMillis, perTryMillis, idleMillis}) {
                if (millis < 0 || millis > MAX_MILLIS) {
                    throw new IllegalArgumentException("timeout is %d ms, not 0 to %d".formatted(millis, MAX_MILLIS));
                }
            }
        }
    }

    /**
     * Sending a failed call again.
     *
     * @param most tries after the first, 1 to {@value #MAX}
     * @param on what counts as failed
     * @param methods that may be sent again though they are not idempotent, ordered
     */
    public record Retries(int most, Set<RetryOn> on, List<String> methods) {
        public static final int MAX = 10;

        public Retries {
            if (most < 1 || most > MAX) {
                throw new IllegalArgumentException("retries are %d, not 1 to %d".formatted(most, MAX));
            }
            // An EnumSet has the order of the enum, so that equal sets give equal bytes.
            on = Collections.unmodifiableSet(on.isEmpty() ? EnumSet.noneOf(RetryOn.class) : EnumSet.copyOf(on));
            methods = List.copyOf(methods);
        }
    }

    /** What a call may be sent again for; wire words as in annotations. */
    public enum RetryOn {
        /** Whatever the caller would see as an answer of 500 to 599. */
        SERVER_ERROR("5xx"),
        /** Whatever the caller would see as 502, 503 or 504. */
        GATEWAY_ERROR("gateway-error"),
        /** No connection to the endpoint, or from its proxy to the application. */
        CONNECT_FAILURE("connect-failure"),
        /** The connection or stream ended before an answer. */
        RESET("reset"),
        /** The endpoint refused the stream and did nothing with it (HTTP/2). */
        REFUSED_STREAM("refused-stream"),
        CANCELLED("cancelled"),
        UNKNOWN("unknown"),
        DEADLINE_EXCEEDED("deadline-exceeded"),
        RESOURCE_EXHAUSTED("resource-exhausted"),
        ABORTED("aborted"),
        INTERNAL("internal"),
        UNAVAILABLE("unavailable");

        private final String wireName;

        RetryOn(String wireName) {
            this.wireName = wireName;
        }

        public String wireName() {
            return wireName;
        }

        /** Whether it is a status of gRPC. */
        public boolean isGrpc() {
            return compareTo(CANCELLED) >= 0;
        }

        /** The constant of a wire word, or empty when this version does not know it. */
        public static Optional<RetryOn> ofWireName(String word) {
            for (RetryOn on : values()) {
                if (on.wireName.equals(word)) {
                    return Optional.of(on);
                }
            }
            return Optional.empty();
        }
    }

    /**
     * Leaving out endpoints that fail.
     *
     * @param after failures in a row, 1 to {@value #MAX_AFTER}
     * @param forMillis how long the first time; doubled each time it fails again, up to {@link #MAX_FOR_MILLIS}
     */
    public record Ejection(int after, long forMillis) {
        public static final int MAX_AFTER = 1000;
        public static final long MIN_FOR_MILLIS = 100;
        public static final long MAX_FOR_MILLIS = 300_000;

        public Ejection {
            if (after < 1 || after > MAX_AFTER) {
                throw new IllegalArgumentException("ejection after %d, not 1 to %d".formatted(after, MAX_AFTER));
            }
            if (forMillis < MIN_FOR_MILLIS || forMillis > MAX_FOR_MILLIS) {
                throw new IllegalArgumentException(
                        "ejection for %d ms, not %d to %d".formatted(forMillis, MIN_FOR_MILLIS, MAX_FOR_MILLIS));
            }
        }
    }

    /**
     * How much at once, from one proxy; 0 is no limit but the proxy's own.
     *
     * @param maxConnections to its endpoints
     * @param maxPending requests that wait for a connection
     * @param maxRequests requests under way
     */
    public record Capacity(int maxConnections, int maxPending, int maxRequests) {
        public static final Capacity UNLIMITED = new Capacity(0, 0, 0);

        public Capacity {
            if (maxConnections < 0 || maxPending < 0 || maxRequests < 0) {
                throw new IllegalArgumentException("a limit is negative: %d connections, %d pending, %d requests"
                        .formatted(maxConnections, maxPending, maxRequests));
            }
        }
    }

    /** Something that is made to go wrong for a share of all requests, up to a moment. */
    public sealed interface Fault {
        /** Of a million requests so many are hit, 1 to 1,000,000. */
        int perMillion();

        /** When it ends, milliseconds since 1970. */
        long untilMillis();

        /**
         * Answers instead of the Service.
         *
         * @param status of HTTP, 200 to 599; a gRPC call hears the status that stands for it
         */
        record Abort(int status, int perMillion, long untilMillis) implements Fault {
            public Abort {
                if (status < 200 || status > 599) {
                    throw new IllegalArgumentException("fault answers %d, not 200 to 599".formatted(status));
                }
                requireShare(perMillion);
            }
        }

        /**
         * Holds the request back.
         *
         * @param millis 1 to {@link #MAX_MILLIS}
         */
        record Delay(long millis, int perMillion, long untilMillis) implements Fault {
            public static final long MAX_MILLIS = 60_000;

            public Delay {
                if (millis < 1 || millis > MAX_MILLIS) {
                    throw new IllegalArgumentException("fault delays %d ms, not 1 to %d".formatted(millis, MAX_MILLIS));
                }
                requireShare(perMillion);
            }
        }

        private static void requireShare(int perMillion) {
            if (perMillion < 1 || perMillion > 1_000_000) {
                throw new IllegalArgumentException(
                        "fault hits %d of a million, not 1 to 1000000".formatted(perMillion));
            }
        }

        /** The word for metrics and the wire: {@code abort} or {@code delay}. */
        default String wireName() {
            return getClass().getSimpleName().toLowerCase(Locale.ROOT);
        }
    }
}
