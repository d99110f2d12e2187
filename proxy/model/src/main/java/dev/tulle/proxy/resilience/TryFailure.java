package dev.tulle.proxy.resilience;

import static java.util.Objects.requireNonNull;

/**
 * How one try of a request failed.
 *
 * @param kind what happened, as far as it is known; an answer of the endpoint's proxy may say it too
 * @param status of the answer, where there was one; else 0
 * @param grpcStatus of the answer to a gRPC call, where there was one; else -1
 */
public record TryFailure(Kind kind, int status, int grpcStatus) {
    /** No endpoint could be connected to: nothing was sent. */
    public static final TryFailure NOT_CONNECTED = new TryFailure(Kind.NOT_CONNECTED, 0, -1);
    /** The endpoint said that it did nothing with the request. */
    public static final TryFailure UNPROCESSED = new TryFailure(Kind.UNPROCESSED, 0, -1);
    /** The connection or stream ended without an answer. */
    public static final TryFailure RESET = new TryFailure(Kind.RESET, 0, -1);
    /** There was no answer within the time set for one try. */
    public static final TryFailure LATE = new TryFailure(Kind.LATE, 0, -1);

    public TryFailure {
        requireNonNull(kind, "kind");
    }

    /**
     * There was an answer, and it said that it failed.
     *
     * @param reason the word by which a proxy says why it answered instead of the application; empty without one
     */
    public static TryFailure answered(int status, int grpcStatus, String reason) {
        Kind kind = switch (reason) {
            case "connect-failed", "connect-timeout", "queue-full", "queue-timeout" -> Kind.NOT_CONNECTED;
            case "upstream-reset", "upstream-malformed" -> Kind.RESET;
            case "upstream-idle" -> Kind.LATE;
            default -> Kind.ANSWERED;
        };
        return new TryFailure(kind, status, grpcStatus);
    }

    /** What happened to a try. */
    public enum Kind {
        NOT_CONNECTED,
        UNPROCESSED,
        RESET,
        LATE,
        ANSWERED
    }
}
