package dev.tulle.proxy.resilience;

import dev.tulle.proxy.model.Resilience.Retries;
import dev.tulle.proxy.model.Resilience.RetryOn;
import java.util.EnumSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Whether a failed try is worth another one.
 *
 * <p>Where the endpoint cannot have done anything with the request any method may be sent again, else only idempotent ones (RFC
 * 9110, 9.2.2) and those the Service lists. Immutable.
 */
public final class RetryRule {
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");
    private static final long FIRST_BACKOFF_MILLIS = 25;
    private static final int MAX_BACKOFF_DOUBLINGS = 4;

    private final int most;
    private final Set<RetryOn> on;
    private final Set<String> methods;

    public RetryRule(Retries retries) {
        this.most = retries.most();
        this.on = retries.on().isEmpty() ? EnumSet.noneOf(RetryOn.class) : EnumSet.copyOf(retries.on());
        this.methods = Set.copyOf(retries.methods());
    }

    /**
     * Whether to try again.
     *
     * @param retried how often the request was tried again already
     */
    public boolean allows(TryFailure failure, String method, int retried) {
        return retried < most && isNamed(failure) && (isWithoutEffect(failure) || mayRepeat(method));
    }

    /** Whether a method may be sent twice. */
    public boolean mayRepeat(String method) {
        return IDEMPOTENT.contains(method) || methods.contains(method);
    }

    /** Time to wait before the {@code retry}th repetition, from 1: all by chance up to a bound of 25 ms that doubles to 400 ms. */
    public static long backoffMillis(int retry, RandomGenerator random) {
        return random.nextLong((FIRST_BACKOFF_MILLIS << Math.min(retry - 1, MAX_BACKOFF_DOUBLINGS)) + 1);
    }

    private static boolean isWithoutEffect(TryFailure failure) {
        return switch (failure.kind()) {
            case NOT_CONNECTED, UNPROCESSED -> true;
            case RESET, LATE, ANSWERED -> false;
        };
    }

    /** A failure without an answer counts as the answer that the caller would get for it: 502, 503 or 504, or its gRPC status. */
    private boolean isNamed(TryFailure failure) {
        boolean named = switch (failure.kind()) {
            case NOT_CONNECTED -> isAny(RetryOn.CONNECT_FAILURE, RetryOn.UNAVAILABLE) || isGateway();
            case UNPROCESSED ->
                isAny(RetryOn.REFUSED_STREAM, RetryOn.UNAVAILABLE) || on.contains(RetryOn.RESET) || isGateway();
            case RESET -> isAny(RetryOn.RESET, RetryOn.UNAVAILABLE) || isGateway();
            case LATE -> on.contains(RetryOn.DEADLINE_EXCEEDED) || isGateway();
            case ANSWERED -> false;
        };
        return named || isNamedAnswer(failure.status(), failure.grpcStatus());
    }

    private boolean isAny(RetryOn one, RetryOn other) {
        return on.contains(one) || on.contains(other);
    }

    private boolean isGateway() {
        return isAny(RetryOn.SERVER_ERROR, RetryOn.GATEWAY_ERROR);
    }

    private boolean isNamedAnswer(int status, int grpcStatus) {
        // Source: gRPC status codes.
        RetryOn grpc = switch (grpcStatus) {
            case 1 -> RetryOn.CANCELLED;
            case 2 -> RetryOn.UNKNOWN;
            case 4 -> RetryOn.DEADLINE_EXCEEDED;
            case 8 -> RetryOn.RESOURCE_EXHAUSTED;
            case 10 -> RetryOn.ABORTED;
            case 13 -> RetryOn.INTERNAL;
            case 14 -> RetryOn.UNAVAILABLE;
            default -> null;
        };
        return (grpc != null && on.contains(grpc))
                || (status >= 500 && status <= 599 && on.contains(RetryOn.SERVER_ERROR))
                || (status >= 502 && status <= 504 && on.contains(RetryOn.GATEWAY_ERROR));
    }
}
