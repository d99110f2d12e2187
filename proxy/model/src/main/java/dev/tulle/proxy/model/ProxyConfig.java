package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.List;

/**
 * All that one proxy holds: what {@code --config} reads from a file and what the stream adds up to.
 *
 * @param version of the newest message in it; 0 or more
 * @param workload its own side
 * @param destinations ordered by key
 * @param trust whom it trusts
 */
public record ProxyConfig(long version, WorkloadConfig workload, List<Destination> destinations, TrustBundle trust) {
    public ProxyConfig {
        if (version < 0) {
            throw new IllegalArgumentException("config version is %d".formatted(version));
        }
        requireNonNull(workload, "workload");
        destinations = destinations.stream()
                .sorted(Comparator.comparing(Destination::key))
                .toList();
        requireNonNull(trust, "trust");
    }
}
