package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimerWheelTest {
    private static final long TICK = 10;

    private final TimerWheel wheel = new TimerWheel(TICK, 0);
    private final List<String> gone = new ArrayList<>();

    private final class Named extends TimerWheel.Timer {
        private final String name;

        Named(String name) {
            this.name = name;
        }

        @Override
        protected void due() {
            gone.add(name);
        }
    }

    @Test
    void goesOffAtItsTimeOrATickLater() {
        wheel.set(new Named("a"), 25, 0);

        wheel.advance(20);
        assertThat(gone).isEmpty();
        wheel.advance(30);
        assertThat(gone).containsExactly("a");
        assertThat(wheel.isEmpty()).isTrue();
    }

    @Test
    void goesOffAtTheNextTickWhenItsTimeIsPast() {
        wheel.set(new Named("keeps it going"), 1_000_000, 0);
        wheel.advance(1000);
        wheel.set(new Named("late"), 3, 1000);

        wheel.advance(1010);
        assertThat(gone).containsExactly("late");
    }

    @Test
    void doesNotGoOffWhenTakenBack() {
        Named timer = new Named("a");
        wheel.set(timer, 25, 0);
        wheel.cancel(timer);
        wheel.cancel(timer);
        wheel.advance(100);

        assertThat(gone).isEmpty();
        assertThat(wheel.isEmpty()).isTrue();
    }

    @Test
    void goesOffOnceAtTheNewTimeWhenSetAnew() {
        Named timer = new Named("a");
        wheel.set(timer, 25, 0);
        wheel.set(timer, 55, 0);

        wheel.advance(50);
        assertThat(gone).isEmpty();
        wheel.advance(60);
        wheel.advance(10_000_000);
        assertThat(gone).containsExactly("a");
    }

    @Test
    void waitsForManyTurnsOfTheWheel() {
        wheel.set(new Named("a"), 1_000_000, 0);

        for (long now = TICK; now < 1_000_000; now += TICK) {
            wheel.advance(now);
        }
        assertThat(gone).isEmpty();
        wheel.advance(1_000_000);
        assertThat(gone).containsExactly("a");
    }

    @Test
    void letsATimerTakeOthersBackWhenItGoesOff() {
        Named other = new Named("other");
        wheel.set(other, 25, 0);
        wheel.set(
                new TimerWheel.Timer() {
                    @Override
                    protected void due() {
                        wheel.cancel(other);
                        gone.add("first");
                    }
                },
                25,
                0);

        wheel.advance(30);
        assertThat(gone).containsExactly("first");
    }

    @Test
    void losesNoneAndIsNeverEarly() {
        Random random = new Random(7);
        List<Long> late = new ArrayList<>();
        long now = 0;
        int count = 5000;
        long[] clock = {now};
        for (int i = 0; i < count; i++) {
            long due = now + random.nextInt(20_000);
            wheel.set(
                    new TimerWheel.Timer() {
                        @Override
                        protected void due() {
                            late.add(clock[0] - due);
                        }
                    },
                    due,
                    now);
            now += random.nextInt(5);
            if (i % 3 == 0) {
                clock[0] = now;
                wheel.advance(now);
            }
        }
        for (long end = now + 30_000; now < end; now += TICK) {
            clock[0] = now;
            wheel.advance(now);
        }

        assertThat(late).hasSize(count).allMatch(nanos -> nanos >= 0 && nanos <= 4 * TICK);
    }
}
