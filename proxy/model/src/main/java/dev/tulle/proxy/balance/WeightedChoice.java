package dev.tulle.proxy.balance;

import java.util.List;

/**
 * Chooses by weight with exact shares: smooth weighted round robin.
 *
 * <p>Weights are reduced by their greatest common divisor; any run of as many picks as the reduced weights add up to holds each
 * choice exactly as often as its reduced weight says: 75 and 25 are exact in any 4. Not thread-safe: one per event loop.
 */
public final class WeightedChoice {
    /**
     * A choice at its beginning.
     *
     * @param weights 0 to 2^40 each, at least one positive
     */
    public WeightedChoice(List<Long> weights) {
        dev.tulle.proxy.model.Pending.body();
    }

    /** Index of the next choice; never one whose weight is 0. */
    public int next() {
        return dev.tulle.proxy.model.Pending.body();
    }
}
