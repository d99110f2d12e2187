package dev.tulle.proxy.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EndpointChoiceTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    /** A monotonic clock may run over the end of its range. */
    private static final long START = Math.subtractExact(Long.MAX_VALUE, 2 * SECOND);

    private final Random random = new Random(8);

    @Test
    void sharesEvenlyAmongEquals() {
        List<PeakEwma> endpoints = endpoints(4);
        assertThat(shares(endpoints, 40_000, START).values())
                .allSatisfy(count -> assertThat(count).isBetween(9_000, 11_000));
    }

    @Test
    void neverTakesTheMostLoadedOfSeveral() {
        List<PeakEwma> endpoints = endpoints(3);
        endpoints.get(1).started();
        assertThat(shares(endpoints, 3_000, START)).containsOnlyKeys(0, 2);
    }

    @Test
    void takesTheFasterOfTwoUntilItHasMoreInHand() {
        List<PeakEwma> endpoints = endpoints(2);
        answer(endpoints.get(0), 10 * MILLI, START);
        answer(endpoints.get(1), 40 * MILLI, START);
        assertThat(shares(endpoints, 100, START)).containsOnlyKeys(0);
        for (int i = 0; i < 4; i++) {
            endpoints.get(0).started();
        }
        assertThat(shares(endpoints, 100, START)).containsOnlyKeys(1);
    }

    @Test
    void seesAPeakAtOnceAndForgetsItSlowly() {
        PeakEwma endpoint = new PeakEwma(START);
        answer(endpoint, MILLI, START);
        answer(endpoint, 100 * MILLI, START);
        double peak = endpoint.load(START);
        assertThat(peak).isEqualTo(100.0 * MILLI);
        answer(endpoint, MILLI, START + SECOND);
        assertThat(endpoint.load(START + SECOND)).isBetween(80.0 * MILLI, 95.0 * MILLI);
        assertThat(endpoint.load(START + 60 * SECOND)).isLessThan(5.0 * MILLI);
        assertThat(endpoint.load(START + 600 * SECOND)).isPositive();
    }

    @Test
    void isNotAttractedByFastFailures() {
        List<PeakEwma> endpoints = endpoints(2);
        answer(endpoints.get(0), 20 * MILLI, START);
        for (int i = 0; i < 3; i++) {
            endpoints.get(1).started();
            endpoints.get(1).failed(1_000, START);
        }
        assertThat(shares(endpoints, 100, START)).containsOnlyKeys(0);
    }

    @Test
    void boundsWhatFailuresDo() {
        PeakEwma endpoint = new PeakEwma(START);
        for (int i = 0; i < 1_000; i++) {
            endpoint.started();
            endpoint.failed(1_000, START);
        }
        assertThat(endpoint.load(START)).isEqualTo((double) SECOND);
        assertThat(endpoint.pending()).isZero();
    }

    @Test
    void triesOneThatFailedAgainByOneRequestAtATime() {
        // Given
        List<PeakEwma> endpoints = endpoints(2);
        for (int i = 0; i < 10; i++) {
            endpoints.get(0).started();
            endpoints.get(0).failed(MILLI, START);
        }
        long soon = START + 4 * SECOND;
        long later = START + 6 * SECOND;
        answer(endpoints.get(1), MILLI / 2, soon);
        assertThat(shares(endpoints, 100, soon)).containsOnlyKeys(1);
        // When
        assertThat(shares(endpoints, 100, later)).containsOnlyKeys(0);
        endpoints.get(0).started();
        assertThat(shares(endpoints, 100, later)).containsOnlyKeys(1);
        endpoints.get(0).succeeded(MILLI / 4, later);
        // Then
        assertThat(shares(endpoints, 100, later)).containsOnlyKeys(0, 1);
    }

    @Test
    void sharesEvenlyAmongThoseThatAreFastEnough() {
        List<PeakEwma> endpoints = endpoints(3);
        answer(endpoints.get(0), MILLI / 4, START);
        answer(endpoints.get(1), MILLI, START);
        answer(endpoints.get(2), 4 * MILLI, START);
        assertThat(shares(endpoints, 3_000, START).values())
                .allSatisfy(share -> assertThat(share).isBetween(850, 1150));
    }

    @Test
    void avoidsWhatCouldNotBeConnectedToWhileOthersExist() {
        List<PeakEwma> endpoints = endpoints(5);
        for (int i = 0; i < 4; i++) {
            endpoints.get(i).connectFailed(START);
        }
        // The busiest of all, but the only one that is not avoided.
        for (int i = 0; i < 100; i++) {
            endpoints.get(4).started();
        }
        assertThat(shares(endpoints, 1_000, START)).containsOnlyKeys(4);
        assertThat(shares(endpoints, 1_000, START + SECOND)).hasSizeGreaterThan(3);
    }

    @Test
    void takesAnAvoidedOneWhenThereIsNoOther() {
        List<PeakEwma> endpoints = endpoints(2);
        endpoints.forEach(endpoint -> endpoint.connectFailed(START));
        assertThat(shares(endpoints, 100, START)).hasSize(2);
        List<PeakEwma> single = endpoints(1);
        single.get(0).connectFailed(START);
        assertThat(shares(single, 10, START)).containsOnlyKeys(0);
    }

    @Test
    void avoidsLongerAfterEachFailedConnectUpToALimitAndNotAfterASuccess() {
        PeakEwma endpoint = new PeakEwma(START);
        endpoint.connectFailed(START);
        assertThat(endpoint.avoided(START + 99 * MILLI)).isTrue();
        assertThat(endpoint.avoided(START + 100 * MILLI)).isFalse();
        endpoint.connectFailed(START);
        assertThat(endpoint.avoided(START + 199 * MILLI)).isTrue();
        for (int i = 0; i < 100; i++) {
            endpoint.connectFailed(START);
        }
        assertThat(endpoint.avoided(START + 12_799 * MILLI)).isTrue();
        assertThat(endpoint.avoided(START + 12_800 * MILLI)).isFalse();
        endpoint.connected();
        assertThat(endpoint.avoided(START)).isFalse();
    }

    @Test
    void countsRequestsInHandWhicheverWayTheyEnd() {
        PeakEwma endpoint = new PeakEwma(START);
        for (int i = 0; i < 3; i++) {
            endpoint.started();
        }
        assertThat(endpoint.pending()).isEqualTo(3);
        endpoint.succeeded(MILLI, START);
        endpoint.failed(MILLI, START);
        endpoint.abandoned();
        assertThat(endpoint.pending()).isZero();
    }

    @Test
    void refusesToChooseFromNothing() {
        assertThatThrownBy(() -> EndpointChoice.pick(List.<PeakEwma>of(), Function.identity(), random, START))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static List<PeakEwma> endpoints(int count) {
        return IntStream.range(0, count).mapToObj(i -> new PeakEwma(START)).toList();
    }

    private static void answer(PeakEwma endpoint, long latencyNanos, long nowNanos) {
        endpoint.started();
        endpoint.succeeded(latencyNanos, nowNanos);
    }

    /** How often each was picked; none is told of its picks. */
    private Map<Integer, Integer> shares(List<PeakEwma> endpoints, int picks, long nowNanos) {
        return IntStream.range(0, picks)
                .mapToObj(i -> endpoints.indexOf(EndpointChoice.pick(endpoints, Function.identity(), random, nowNanos)))
                .collect(Collectors.toMap(Function.identity(), i -> 1, Integer::sum));
    }
}
