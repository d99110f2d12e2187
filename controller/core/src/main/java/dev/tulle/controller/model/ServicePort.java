package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.Protocol;
import java.util.List;

/**
 * One port of a Service.
 *
 * @param port the number callers use
 * @param name as declared, or empty
 * @param protocol what is spoken
 * @param endpoints the Service's own workloads that have the port, ready or not, ordered
 * @param splits that hold for the port, in order of precedence: those with matches first, then at most one without
 */
public record ServicePort(
        int port, String name, Protocol protocol, List<ServiceEndpoint> endpoints, List<Split> splits) {
    public ServicePort {
        requireNonNull(name, "name");
        requireNonNull(protocol, "protocol");
        endpoints = List.copyOf(endpoints);
        splits = List.copyOf(splits);
    }
}
