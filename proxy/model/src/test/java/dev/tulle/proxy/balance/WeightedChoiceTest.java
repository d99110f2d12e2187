package dev.tulle.proxy.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.proxy.model.WeightedCluster;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WeightedChoiceTest {
    @Test
    void isExactInAnyFourPicksFor75And25() {
        int[] picks = picks(new WeightedChoice(List.of(75L, 25L)), 400);
        for (int start = 0; start + 4 <= picks.length; start++) {
            assertThat(count(picks, start, 4, 0)).isEqualTo(3);
        }
    }

    @Test
    void isExactInAnyRunAsLongAsTheReducedSumWhateverTheWeights() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            List<Long> weights = IntStream.rangeClosed(0, random.nextInt(5))
                    .mapToObj(i -> (long) random.nextInt(12))
                    .toList();
            long factor = random.nextLong(1, 1_000);
            long sum = weights.stream().mapToLong(Long::longValue).sum();
            if (sum == 0) {
                continue;
            }
            int run = (int) sum;
            int[] picks = picks(
                    new WeightedChoice(weights.stream().map(w -> w * factor).toList(), random.nextInt(30)), 3 * run);
            for (int start = 0; start + run <= picks.length; start++) {
                for (int i = 0; i < weights.size(); i++) {
                    assertThat(count(picks, start, run, i))
                            .as("%s of %s from %d", i, weights, start)
                            .isEqualTo(weights.get(i).intValue());
                }
            }
        }
    }

    @Test
    void spreadsTheRareChoiceOut() {
        assertThat(picks(new WeightedChoice(List.of(5L, 1L, 1L)), 7)).containsExactly(0, 0, 1, 0, 2, 0, 0);
    }

    @Test
    void takesTurnsAmongEquals() {
        assertThat(picks(new WeightedChoice(List.of(7L, 7L, 7L)), 6)).containsExactly(0, 1, 2, 0, 1, 2);
    }

    @Test
    void neverPicksWeightZero() {
        assertThat(picks(new WeightedChoice(List.of(0L, 3L, 0L)), 10)).containsOnly(1);
    }

    @Test
    void beginsLaterWhenAsked() {
        assertThat(picks(new WeightedChoice(List.of(75L, 25L), 1), 4)).containsExactly(0, 1, 0, 0);
        assertThat(picks(new WeightedChoice(List.of(75L, 25L), 2), 4))
                .isEqualTo(IntStream.of(picks(new WeightedChoice(List.of(75L, 25L)), 6))
                        .skip(2)
                        .toArray());
    }

    @Test
    void staysWithinALongAtTheLargestWeights() {
        List<Long> weights = List.of(WeightedCluster.MAX_WEIGHT, WeightedCluster.MAX_WEIGHT - 1, 1L);
        int[] picks = picks(new WeightedChoice(weights), 100_000);
        assertThat(count(picks, 0, picks.length, 0)).isBetween(49_999, 50_001);
        assertThat(count(picks, 0, picks.length, 1)).isBetween(49_999, 50_001);
    }

    @Test
    void refusesWeightsItCannotShareOutBy() {
        for (List<Long> weights :
                List.of(List.<Long>of(), List.of(0L, 0L), List.of(1L, -1L), List.of(WeightedCluster.MAX_WEIGHT + 1))) {
            assertThatThrownBy(() -> new WeightedChoice(weights)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static int[] picks(WeightedChoice choice, int count) {
        return IntStream.range(0, count).map(i -> choice.next()).toArray();
    }

    private static int count(int[] picks, int start, int length, int value) {
        return (int) IntStream.range(start, start + length)
                .filter(i -> picks[i] == value)
                .count();
    }
}
