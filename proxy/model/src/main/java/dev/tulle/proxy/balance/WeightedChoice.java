package dev.tulle.proxy.balance;

import dev.tulle.proxy.model.WeightedCluster;
import java.util.List;

/**
 * Chooses by weight with exact shares: smooth weighted round robin.
 *
 * <p>Weights are reduced by their greatest common divisor; any run of as many picks as the reduced weights add up to holds each
 * choice exactly as often as its reduced weight says: 75 and 25 are exact in any 4. Picks of one choice are spread over the run.
 * Not thread-safe: one per event loop.
 */
public final class WeightedChoice {
    /** Most choices: so many of the largest weight still add up inside a long. */
    public static final int MAX_CHOICES = 1 << 20;

    private final long[] weights;
    private final long[] credits;
    private final long total;

    /**
     * A choice at its beginning: the heaviest comes first, of equals the earlier.
     *
     * @param weights 0 to 2^40 each, at least one positive
     */
    public WeightedChoice(List<Long> weights) {
        if (weights.size() > MAX_CHOICES) {
            throw new IllegalArgumentException("%d choices are more than %d".formatted(weights.size(), MAX_CHOICES));
        }
        long divisor = 0;
        for (long weight : weights) {
            if (weight < 0 || weight > WeightedCluster.MAX_WEIGHT) {
                throw new IllegalArgumentException(
                        "weight is %d, not 0 to %d".formatted(weight, WeightedCluster.MAX_WEIGHT));
            }
            divisor = greatestCommonDivisor(divisor, weight);
        }
        if (divisor == 0) {
            throw new IllegalArgumentException("no weight is positive: " + weights);
        }
        this.weights = new long[weights.size()];
        this.credits = new long[weights.size()];
        long sum = 0;
        for (int i = 0; i < this.weights.length; i++) {
            this.weights[i] = weights.get(i) / divisor;
            sum += this.weights[i];
        }
        this.total = sum;
    }

    /**
     * A choice some picks after its beginning, so that several event loops do not all begin with the same one.
     *
     * @param picks already taken, 0 to 1,000
     */
    public WeightedChoice(List<Long> weights, int picks) {
        this(weights);
        if (picks < 0 || picks > 1_000) {
            throw new IllegalArgumentException("%d picks are not 0 to 1000".formatted(picks));
        }
        for (int i = 0; i < picks; i++) {
            next();
        }
    }

    /** Index of the next choice; never one whose weight is 0. */
    public int next() {
        int chosen = -1;
        for (int i = 0; i < weights.length; i++) {
            credits[i] += weights[i];
            if (weights[i] > 0 && (chosen < 0 || credits[i] > credits[chosen])) {
                chosen = i;
            }
        }
        credits[chosen] -= total;
        return chosen;
    }

    private static long greatestCommonDivisor(long a, long b) {
        while (b != 0) {
            long rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    }
}
