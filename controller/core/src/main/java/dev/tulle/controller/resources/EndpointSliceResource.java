package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * Endpoints of a Service that somebody wrote by hand, or another controller did: only those of a Service without selector count.
 *
 * @param service in its own namespace
 * @param ports in the order written
 * @param endpoints in the order written
 */
public record EndpointSliceResource(
        String namespace, String name, String service, List<Port> ports, List<Endpoint> endpoints) {
    public EndpointSliceResource {
        requireNonNull(namespace, "namespace");
        requireNonNull(name, "name");
        requireNonNull(service, "service");
        ports = List.copyOf(ports);
        endpoints = List.copyOf(endpoints);
    }

    public ObjectRef ref() {
        return new ObjectRef("EndpointSlice", namespace, name);
    }

    /**
     * A port that all its endpoints have.
     *
     * @param name that of the Service's port, or empty
     * @param port 1 to 65535
     * @param transport {@code TCP} as a rule
     */
    public record Port(String name, int port, String transport) {
        public Port {
            requireNonNull(name, "name");
            requireNonNull(transport, "transport");
        }
    }

    /**
     * One endpoint.
     *
     * @param addresses which are equal in worth
     * @param zone its failure domain, or empty
     */
    public record Endpoint(List<String> addresses, boolean ready, String zone) {
        public Endpoint {
            addresses = List.copyOf(addresses);
            requireNonNull(zone, "zone");
        }
    }
}
