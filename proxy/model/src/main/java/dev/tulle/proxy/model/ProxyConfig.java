package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.List;

/**
 * All that one proxy holds: what {@code --config} reads from a file and what the stream adds up to.
 *
 * @param version of the newest message in it; 0 or more
 * @param workload its own side
 * @param destinations ordered by key, one each
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
        for (int i = 1; i < destinations.size(); i++) {
            if (destinations.get(i).key().equals(destinations.get(i - 1).key())) {
                throw new IllegalArgumentException("destination %s is there twice"
                        .formatted(destinations.get(i).key()));
            }
        }
        requireNonNull(trust, "trust");
    }
}
