package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Resilience.Fault;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FaultPlanTest {
    private static final long UNTIL = 1000;

    @ParameterizedTest
    @CsvSource({"100000, 100, 10", "1000000, 7, 7", "333333, 3000000, 999999", "1, 2000000, 2", "750000, 4, 3"})
    void hitsAnExactShare(int perMillion, int calls, int hits) {
        FaultPlan plan = new FaultPlan(List.of(new Fault.Abort(503, perMillion, UNTIL)));

        assertThat(IntStream.range(0, calls).filter(i -> plan.next(0).abortStatus() == 503))
                .hasSize(hits);
    }

    @Test
    void spreadsTheHitsEvenly() {
        EvenShare share = new EvenShare(100_000);

        assertThat(IntStream.range(0, 30).filter(i -> share.next())).containsExactly(9, 19, 29);
    }

    @Test
    void endsByItself() {
        FaultPlan plan = new FaultPlan(List.of(new Fault.Abort(503, 1_000_000, UNTIL)));

        assertThat(plan.next(UNTIL - 1).abortStatus()).isEqualTo(503);
        assertThat(plan.next(UNTIL)).isEqualTo(FaultPlan.Hit.NONE);
        assertThat(plan.isOver(UNTIL)).isTrue();
    }

    @Test
    void addsDelaysAndTakesTheFirstAnswer() {
        FaultPlan plan = new FaultPlan(List.of(
                new Fault.Delay(20, 1_000_000, UNTIL),
                new Fault.Abort(500, 1_000_000, UNTIL),
                new Fault.Delay(30, 1_000_000, 2 * UNTIL),
                new Fault.Abort(501, 1_000_000, UNTIL)));

        assertThat(plan.next(0)).isEqualTo(new FaultPlan.Hit(50, 500));
        assertThat(plan.next(UNTIL)).isEqualTo(new FaultPlan.Hit(30, 0));
    }
}
