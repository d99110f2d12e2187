package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

/**
 * A service that takes a share of a split.
 *
 * @param service in the namespace of the split
 * @param weight share relative to the sum of the split's weights; 0 takes none
 */
public record Backend(ServiceName service, long weight) {
    public Backend {
        requireNonNull(service, "service");
        if (weight < 0) {
            throw new IllegalArgumentException("weight of %s is %d".formatted(service, weight));
        }
    }
}
