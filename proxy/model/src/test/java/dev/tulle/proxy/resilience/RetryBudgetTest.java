package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetryBudgetTest {
    private static final long SECOND = 1_000_000_000;

    private static int takeAll(RetryBudget budget, long now) {
        int taken = 0;
        while (budget.take(now)) {
            taken++;
        }
        return taken;
    }

    @Test
    void allowsTenASecondWithoutAnyRequest() {
        RetryBudget budget = new RetryBudget(0);

        assertThat(takeAll(budget, 0)).isEqualTo(10);
        assertThat(takeAll(budget, SECOND / 2)).isEqualTo(5);
        assertThat(takeAll(budget, 100 * SECOND)).isEqualTo(10);
    }

    @Test
    void allowsAFifthOfTheRequestsBesideThese() {
        RetryBudget budget = new RetryBudget(0);
        for (int i = 0; i < 1000; i++) {
            budget.requested(0);
        }

        assertThat(takeAll(budget, 0)).isEqualTo(200 + 10);
    }

    @Test
    void forgetsRequestsAfterTenSeconds() {
        RetryBudget budget = new RetryBudget(0);
        for (int i = 0; i < 1000; i++) {
            budget.requested(0);
        }

        assertThat(takeAll(budget, 10 * SECOND)).isEqualTo(10);
    }

    @Test
    void forgetsRetriesWithTheirRequests() {
        RetryBudget budget = new RetryBudget(0);
        for (int i = 0; i < 1000; i++) {
            budget.requested(0);
        }
        takeAll(budget, 0);
        for (int i = 0; i < 500; i++) {
            budget.requested(20 * SECOND);
        }

        assertThat(takeAll(budget, 20 * SECOND)).isEqualTo(100 + 10);
    }

    /** Whatever the rate, a dead service is asked at most a fifth more often, and ten a second. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 5000})
    void holdsTheShareOverALongOutage(int requestsPerSecond) {
        RetryBudget budget = new RetryBudget(-5 * SECOND);
        int seconds = 60;
        int retried = 0;
        for (long i = 0; i < (long) seconds * requestsPerSecond; i++) {
            long now = i * SECOND / requestsPerSecond;
            budget.requested(now);
            while (budget.take(now)) {
                retried++;
            }
        }

        int share = seconds * requestsPerSecond / 5;
        assertThat(retried).isBetween(share, share + 10 * seconds + 10);
    }
}
