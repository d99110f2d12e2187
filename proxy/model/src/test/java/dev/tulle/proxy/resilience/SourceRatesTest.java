package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.RateLimit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SourceRatesTest {
    private static final long SECOND = 1_000_000_000;

    private static int passing(SourceRates rates, String source, int asked, long now) {
        int passed = 0;
        for (int i = 0; i < asked; i++) {
            passed += rates.ask(source, now) == 0 ? 1 : 0;
        }
        return passed;
    }

    @Test
    void letsABurstThroughAndThenTheRate() {
        SourceRates rates = new SourceRates(new RateLimit(10, 1000, 30), 10, () -> {}, 0);

        assertThat(passing(rates, "web", 100, 0)).isEqualTo(30);
        assertThat(passing(rates, "web", 100, SECOND)).isEqualTo(10);
        assertThat(passing(rates, "web", 100, SECOND + SECOND / 2)).isEqualTo(5);
        assertThat(passing(rates, "web", 100, 100 * SECOND)).isEqualTo(30);
    }

    @Test
    void saysWhenTheNextOneMayPass() {
        SourceRates rates = new SourceRates(new RateLimit(2, 1000, 1), 10, () -> {}, 0);
        rates.ask("web", 0);

        assertThat(rates.ask("web", SECOND / 10)).isEqualTo(SECOND / 2 - SECOND / 10);
        assertThat(rates.ask("web", SECOND / 2)).isZero();
    }

    @Test
    void countsEachCallerByItself() {
        SourceRates rates = new SourceRates(new RateLimit(1, 1000, 1), 10, () -> {}, 0);

        assertThat(rates.ask("web", 0)).isZero();
        assertThat(rates.ask("shop", 0)).isZero();
        assertThat(rates.ask("web", 0)).isPositive();
    }

    @Test
    void remembersABoundedNumberOfCallersAndCountsTheOthersTogether() {
        AtomicInteger overflowed = new AtomicInteger();
        SourceRates rates = new SourceRates(new RateLimit(1, 1000, 1), 2, overflowed::incrementAndGet, 0);
        rates.ask("a", 0);
        rates.ask("b", 0);

        assertThat(rates.ask("c", 0)).isZero();
        assertThat(rates.ask("d", 0)).isPositive();
        assertThat(rates.sources()).isEqualTo(2);
        assertThat(overflowed).hasValue(2);
    }

    @Test
    void forgetsCallersThatWereQuiet() {
        SourceRates rates = new SourceRates(new RateLimit(1, 1000, 1), 2, () -> {}, 0);
        rates.ask("a", 0);
        rates.ask("b", 0);

        assertThat(rates.ask("c", 5 * SECOND)).isZero();
        assertThat(rates.ask("d", 5 * SECOND)).isZero();
        assertThat(rates.ask("d", 5 * SECOND)).isPositive();
        assertThat(rates.sources()).isEqualTo(2);
    }

    @Test
    void doesNotOverflowWithTheSlowestRateAndTheLargestBurst() {
        SourceRates rates = new SourceRates(new RateLimit(1, 86_400_000, RateLimit.MAX), 2, () -> {}, -SECOND);

        assertThat(passing(rates, "web", 1000, -SECOND)).isEqualTo(1000);
    }
}
