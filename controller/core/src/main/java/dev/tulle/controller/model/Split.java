package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.HttpMatch;
import java.util.List;
import java.util.Optional;

/**
 * A TrafficSplit as it holds for one port of its root service.
 *
 * @param name the TrafficSplit, {@code namespace/name}
 * @param matches which requests it takes, any one must hold; absent takes everything, present and empty takes nothing
 * @param backends in the order they were written, without those that lack the port
 */
public record Split(String name, Optional<List<HttpMatch>> matches, List<Backend> backends) {
    public Split {
        requireNonNull(name, "name");
        matches = matches.map(List::copyOf);
        backends = List.copyOf(backends);
    }
}
