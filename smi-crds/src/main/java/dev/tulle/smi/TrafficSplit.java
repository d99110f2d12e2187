package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * How the traffic addressed to one service is shared among others (SMI split v1alpha4).
 *
 * @param service plain name of the root Service in the split's namespace, whatever form the document has (name, FQDN, trailing dot)
 * @param backends in the order of the document; the root itself may be one of them
 * @param matches names of HTTPRouteGroups in the split's namespace: only requests that one of their entries matches are split, the rest
 *     go to the root; empty splits everything
 */
public record TrafficSplit(SmiMetadata metadata, String service, List<Backend> backends, List<String> matches)
        implements SmiObject {
    public TrafficSplit {
        requireNonNull(metadata, "metadata");
        requireNonNull(service, "service");
        backends = List.copyOf(backends);
        matches = List.copyOf(matches);
    }

    @Override
    public SmiKind kind() {
        return SmiKind.TRAFFIC_SPLIT;
    }

    /**
     * One service that takes a share.
     *
     * @param service plain name of a Service in the split's namespace
     * @param weight share relative to the other backends' weights, 0 to {@value #MAX_WEIGHT}; 0 takes none. Quantities of v1alpha1 are
     *     brought to one scale first: 1 and 500m become 1000 and 500
     */
    public record Backend(String service, long weight) {
        /** The largest weight after reading: larger ones are shrunk in proportion, so that sums stay far from overflow. */
        public static final long MAX_WEIGHT = 1_000_000_000;

        public Backend {
            requireNonNull(service, "service");
            if (weight < 0 || weight > MAX_WEIGHT) {
                throw new IllegalArgumentException("weight of %s is %d".formatted(service, weight));
            }
        }
    }
}
