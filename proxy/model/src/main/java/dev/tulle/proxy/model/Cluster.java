package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A named set of endpoints: those of one Service port.
 *
 * @param name the Service, {@code namespace/name}
 * @param endpoints ready ones, ordered by address; may be empty
 */
public record Cluster(String name, List<Endpoint> endpoints) {
    public Cluster {
        requireNonNull(name, "name");
        endpoints = List.copyOf(endpoints);
    }
}
