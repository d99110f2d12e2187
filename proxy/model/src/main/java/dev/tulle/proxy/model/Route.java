package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * Where requests of one kind go; the first route of a destination that matches decides.
 *
 * @param name for metrics and explanations: the TrafficSplit as {@code namespace/name}, or empty for the plain Service
 * @param matches any one must hold; absent means every request and every opaque connection. A present list never takes opaque
 *     connections
 * @param clusters where to; an empty list or all weights 0 answers 503
 */
public record Route(String name, Optional<List<HttpMatch>> matches, List<WeightedCluster> clusters) {
    public Route {
        requireNonNull(name, "name");
        matches = matches.map(List::copyOf);
        clusters = List.copyOf(clusters);
    }
}
