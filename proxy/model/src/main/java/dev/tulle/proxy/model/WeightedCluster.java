package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * One way out of a route.
 *
 * @param cluster name of a {@link Cluster} of the same destination
 * @param weight share of the route's requests, relative to the sum of its weights; 0 takes none (SMI TrafficSplit v1alpha4)
 */
public record WeightedCluster(String cluster, long weight) {
    /** Largest weight: sums of 2^20 backends stay inside a long. */
    public static final long MAX_WEIGHT = 1L << 40;

    public WeightedCluster {
        requireNonNull(cluster, "cluster");
        if (weight < 0 || weight > MAX_WEIGHT) {
            throw new IllegalArgumentException(
                    "weight of %s is %d, not 0 to %d".formatted(cluster, weight, MAX_WEIGHT));
        }
    }
}
