package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Resilience.Ejection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class EjectionsTest {
    private static final long MILLI = 1_000_000;
    private static final Ejection RULE = new Ejection(3, 1000);
    private static final List<Endpoint> FOUR = endpoints(4);

    private final RandomGenerator random = new Random(1);
    private final Ejections ejections = new Ejections(RULE, FOUR, () -> random);

    private static List<Endpoint> endpoints(int count) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            endpoints.add(new Endpoint(new HostPort("10.0.0." + i, 80), "", Optional.empty(), ""));
        }
        return endpoints;
    }

    private void fail(Endpoint endpoint, int times, long millis) {
        for (int i = 0; i < times; i++) {
            ejections.failed(endpoint, false, millis * MILLI);
        }
    }

    private long millisOut(Endpoint endpoint, long nowMillis) {
        return ejections.out(nowMillis * MILLI).stream()
                .filter(out -> out.endpoint().equals(endpoint))
                .findFirst()
                .orElseThrow()
                .millisLeft();
    }

    @Test
    void leavesAnEndpointOutAfterSoManyFailuresInARow() {
        fail(FOUR.get(1), 2, 0);
        assertThat(ejections.in()).isEqualTo(FOUR);

        fail(FOUR.get(1), 1, 0);
        assertThat(ejections.in()).containsExactly(FOUR.get(0), FOUR.get(2), FOUR.get(3));
    }

    @Test
    void beginsToCountAnewAfterASuccess() {
        fail(FOUR.get(0), 2, 0);
        ejections.succeeded(FOUR.get(0), false, 0);
        fail(FOUR.get(0), 2, 0);

        assertThat(ejections.anyOut()).isFalse();
    }

    @Test
    void neverLeavesOutMoreThanHalf() {
        FOUR.forEach(endpoint -> fail(endpoint, 10, 0));

        assertThat(ejections.in()).containsExactly(FOUR.get(2), FOUR.get(3));
    }

    @Test
    void neverLeavesOutALoneEndpointOrTwoOfThree() {
        Ejections one = new Ejections(RULE, endpoints(1), () -> random);
        Ejections three = new Ejections(RULE, endpoints(3), () -> random);
        for (int i = 0; i < 10; i++) {
            endpoints(1).forEach(endpoint -> one.failed(endpoint, false, 0));
            endpoints(3).forEach(endpoint -> three.failed(endpoint, false, 0));
        }

        assertThat(one.anyOut()).isFalse();
        assertThat(three.in()).hasSize(2);
    }

    @Test
    void letsOneRequestDecideWhenTheTimeIsOver() {
        fail(FOUR.get(0), 3, 0);
        assertThat(ejections.probe(999 * MILLI)).isNull();

        assertThat(ejections.probe(1200 * MILLI)).isEqualTo(FOUR.get(0));
        assertThat(ejections.probe(1201 * MILLI)).isNull();
        assertThat(ejections.in()).doesNotContain(FOUR.get(0));

        ejections.succeeded(FOUR.get(0), true, 1202 * MILLI);
        assertThat(ejections.in()).isEqualTo(FOUR);
    }

    @Test
    void isNotBroughtBackByARequestThatWasUnderWay() {
        fail(FOUR.get(0), 3, 0);
        ejections.succeeded(FOUR.get(0), false, 1);

        assertThat(ejections.in()).doesNotContain(FOUR.get(0));
    }

    @Test
    void letsTheNextRequestDecideWhenTheOneToldNothing() {
        fail(FOUR.get(0), 3, 0);
        ejections.probe(1200 * MILLI);
        ejections.abandoned(FOUR.get(0), true);

        assertThat(ejections.probe(1201 * MILLI)).isEqualTo(FOUR.get(0));
    }

    @Test
    void leavesItOutTwiceAsLongEachTimeUpToFiveMinutes() {
        fail(FOUR.get(0), 3, 0);
        long now = 0;
        for (int time = 0; time < 20; time++) {
            long base = Math.min(1000L << time, 300_000);
            assertThat(millisOut(FOUR.get(0), now)).isBetween(base, Math.min(base + base / 5, 300_000));
            now += 400_000;
            assertThat(ejections.probe(now * MILLI)).isEqualTo(FOUR.get(0));
            assertThat(ejections.failed(FOUR.get(0), true, now * MILLI)).isTrue();
        }
    }

    @Test
    void forgetsHowOftenItWasOutOnceItWasBackForAsLong() {
        fail(FOUR.get(0), 3, 0);
        ejections.probe(2000 * MILLI);
        ejections.failed(FOUR.get(0), true, 2000 * MILLI);
        ejections.probe(5000 * MILLI);
        ejections.succeeded(FOUR.get(0), true, 5000 * MILLI);

        fail(FOUR.get(0), 3, 5001);
        assertThat(millisOut(FOUR.get(0), 5001)).isGreaterThanOrEqualTo(4000);
        ejections.probe(20_000 * MILLI);
        ejections.succeeded(FOUR.get(0), true, 20_000 * MILLI);

        fail(FOUR.get(0), 3, 40_000);
        assertThat(millisOut(FOUR.get(0), 40_000)).isBetween(1000L, 1200L);
    }

    @Test
    void keepsWhoIsOutWhenOthersComeAndGo() {
        fail(FOUR.get(0), 3, 0);
        ejections.update(RULE, endpoints(6));

        assertThat(ejections.in()).hasSize(5).doesNotContain(FOUR.get(0));
    }

    @Test
    void bringsBackWhoIsOutWhenTooFewAreLeft() {
        fail(FOUR.get(0), 3, 0);
        fail(FOUR.get(1), 3, 0);
        ejections.update(RULE, endpoints(2));

        assertThat(ejections.in()).hasSize(1);
    }

    @Test
    void knowsNothingOfAnEndpointThatIsGone() {
        Endpoint gone = endpoints(5).get(4);

        assertThat(ejections.failed(gone, false, 0)).isFalse();
        ejections.succeeded(gone, true, 0);
        ejections.abandoned(gone, true);
        assertThat(ejections.in()).isEqualTo(FOUR);
    }
}
