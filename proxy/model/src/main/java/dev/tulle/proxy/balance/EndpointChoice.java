package dev.tulle.proxy.balance;

import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** Chooses an endpoint: of two taken at random the less loaded. */
public final class EndpointChoice {
    private EndpointChoice() {}

    /**
     * One of several endpoints; those that are {@linkplain PeakEwma#avoided avoided} only when there is no other.
     *
     * @param endpoints not empty
     * @param load how to read an endpoint's load
     * @param nowNanos monotonic clock
     */
    public static <E> E pick(
            List<E> endpoints, Function<? super E, PeakEwma> load, RandomGenerator random, long nowNanos) {
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("no endpoint to choose from");
        }
        E first = endpoints.get(random.nextInt(endpoints.size()));
        E second = endpoints.get(random.nextInt(endpoints.size()));
        return load.apply(second).load(nowNanos) < load.apply(first).load(nowNanos) ? second : first;
    }
}
