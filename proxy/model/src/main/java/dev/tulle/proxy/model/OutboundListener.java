package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * A local port through which the application reaches one destination, where nothing redirects its traffic.
 *
 * @param listen a loopback address as a rule: whoever reaches it speaks with the workload's identity
 * @param destination what is behind it
 */
public record OutboundListener(HostPort listen, DestinationKey destination) {
    public OutboundListener {
        requireNonNull(listen, "listen");
        requireNonNull(destination, "destination");
    }
}
