package dev.tulle.proxy.balance;

import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** Chooses an endpoint: of two taken at random the less loaded. */
public final class EndpointChoice {
    private EndpointChoice() {}

    /**
     * One of several endpoints; one that is {@linkplain PeakEwma#avoided avoided} only when there is no other.
     *
     * @param endpoints not empty
     * @param load how to read an endpoint's load
     * @param nowNanos monotonic clock
     */
    public static <E> E pick(
            List<E> endpoints, Function<? super E, PeakEwma> load, RandomGenerator random, long nowNanos) {
        int size = endpoints.size();
        if (size == 0) {
            throw new IllegalArgumentException("no endpoint to choose from");
        }
        if (size == 1) {
            return endpoints.get(0);
        }
        int one = random.nextInt(size);
        int other = random.nextInt(size - 1);
        E first = endpoints.get(one);
        E second = endpoints.get(other < one ? other : other + 1);
        boolean avoidFirst = load.apply(first).avoided(nowNanos);
        boolean avoidSecond = load.apply(second).avoided(nowNanos);
        if (avoidFirst && avoidSecond) {
            for (int i = 1; i < size; i++) {
                E next = endpoints.get((one + i) % size);
                if (!load.apply(next).avoided(nowNanos)) {
                    return next;
                }
            }
        }
        if (avoidFirst != avoidSecond) {
            return avoidFirst ? second : first;
        }
        return load.apply(second).load(nowNanos) < load.apply(first).load(nowNanos) ? second : first;
    }
}
