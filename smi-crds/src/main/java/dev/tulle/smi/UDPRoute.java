package dev.tulle.smi;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A description of UDP traffic by its ports (SMI specs v1alpha4).
 *
 * @param ports in the order of the document; empty means all ports
 */
public record UDPRoute(SmiMetadata metadata, List<Integer> ports) implements SmiObject {
    public UDPRoute {
        requireNonNull(metadata, "metadata");
        ports = List.copyOf(ports);
        ports.forEach(Ports::requirePort);
    }

    @Override
    public SmiKind kind() {
        return SmiKind.UDP_ROUTE;
    }
}
