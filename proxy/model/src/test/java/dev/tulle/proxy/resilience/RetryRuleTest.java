package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Resilience.Retries;
import dev.tulle.proxy.model.Resilience.RetryOn;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryRuleTest {
    private static final Set<RetryOn> EVERYTHING = Set.of(RetryOn.values());

    private static RetryRule rule(RetryOn... on) {
        return new RetryRule(new Retries(2, Set.of(on), List.of()));
    }

    private static TryFailure answered(int status, int grpcStatus) {
        return TryFailure.answered(status, grpcStatus, "");
    }

    @ParameterizedTest
    @CsvSource({
        "SERVER_ERROR, 500, -1",
        "SERVER_ERROR, 599, -1",
        "GATEWAY_ERROR, 502, -1",
        "GATEWAY_ERROR, 504, -1",
        "CANCELLED, 200, 1",
        "UNKNOWN, 200, 2",
        "DEADLINE_EXCEEDED, 200, 4",
        "RESOURCE_EXHAUSTED, 200, 8",
        "ABORTED, 200, 10",
        "INTERNAL, 200, 13",
        "UNAVAILABLE, 200, 14"
    })
    void triesAgainAfterAnAnswerThatIsNamed(RetryOn on, int status, int grpcStatus) {
        assertThat(rule(on).allows(answered(status, grpcStatus), "GET", 0)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "SERVER_ERROR, 499, -1",
        "SERVER_ERROR, 600, -1",
        "SERVER_ERROR, 200, 14",
        "GATEWAY_ERROR, 500, -1",
        "GATEWAY_ERROR, 505, -1",
        "UNAVAILABLE, 503, -1",
        "UNAVAILABLE, 200, 5",
        "RESET, 503, -1"
    })
    void passesAnAnswerOnThatIsNotNamed(RetryOn on, int status, int grpcStatus) {
        assertThat(rule(on).allows(answered(status, grpcStatus), "GET", 0)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH", "CONNECT", "get"})
    void sendsAMethodTwiceThatIsNotIdempotentOnlyIfNothingCanHaveHappened(String method) {
        RetryRule rule = new RetryRule(new Retries(2, EVERYTHING, List.of()));

        assertThat(rule.allows(answered(503, -1), method, 0)).isFalse();
        assertThat(rule.allows(TryFailure.RESET, method, 0)).isFalse();
        assertThat(rule.allows(TryFailure.LATE, method, 0)).isFalse();
        assertThat(rule.allows(TryFailure.NOT_CONNECTED, method, 0)).isTrue();
        assertThat(rule.allows(TryFailure.UNPROCESSED, method, 0)).isTrue();
    }

    @Test
    void sendsAMethodTwiceThatIsListed() {
        RetryRule rule = new RetryRule(new Retries(2, EVERYTHING, List.of("POST")));

        assertThat(rule.allows(answered(503, -1), "POST", 0)).isTrue();
        assertThat(rule.allows(answered(503, -1), "PATCH", 0)).isFalse();
    }

    @Test
    void stopsAfterAsManyTriesAsAreAllowed() {
        RetryRule rule = rule(RetryOn.SERVER_ERROR);

        assertThat(rule.allows(answered(503, -1), "GET", 1)).isTrue();
        assertThat(rule.allows(answered(503, -1), "GET", 2)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(TryFailure.Kind.class)
    void countsWhatTheCallerWouldSeeAsA5xxAsOne(TryFailure.Kind kind) {
        int status = kind == TryFailure.Kind.ANSWERED ? 503 : 0;

        assertThat(rule(RetryOn.SERVER_ERROR).allows(new TryFailure(kind, status, -1), "GET", 0))
                .isTrue();
        assertThat(rule(RetryOn.GATEWAY_ERROR).allows(new TryFailure(kind, status, -1), "GET", 0))
                .isTrue();
    }

    @Test
    void knowsFromTheOtherProxyThatTheApplicationWasNotReached() {
        TryFailure failure = TryFailure.answered(503, -1, "connect-failed");

        assertThat(rule(RetryOn.CONNECT_FAILURE).allows(failure, "POST", 0)).isTrue();
        assertThat(rule(RetryOn.CONNECT_FAILURE).allows(TryFailure.answered(503, -1, "other"), "POST", 0))
                .isFalse();
    }

    @Test
    void waitsAtRandomAndLongerEachTime() {
        Random random = new Random(1);
        for (int retry = 1; retry <= 10; retry++) {
            int number = retry;
            long bound = Math.min(400, 25L << (retry - 1));
            assertThat(IntStream.range(0, 1000).mapToLong(i -> RetryRule.backoffMillis(number, random)))
                    .allMatch(millis -> millis >= 0 && millis <= bound)
                    .anyMatch(millis -> millis > bound / 2)
                    .anyMatch(millis -> millis < bound / 2);
        }
    }
}
