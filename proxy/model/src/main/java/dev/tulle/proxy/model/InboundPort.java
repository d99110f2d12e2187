package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * One port of the workload's application.
 *
 * @param name as declared, or empty
 * @param port the number callers and rules know (the container port)
 * @param servicePorts Service ports that lead here; rules may name these as well
 * @param protocol what is spoken
 * @param listen where the proxy accepts for it; absent when traffic is redirected to the common inbound port
 * @param application where the application listens
 * @param rateLimit how often each caller may ask; absent means as often as it likes
 */
public record InboundPort(
        String name,
        int port,
        List<Integer> servicePorts,
        Protocol protocol,
        Optional<HostPort> listen,
        HostPort application,
        Optional<RateLimit> rateLimit) {
    /** One without a rate limit. */
    public InboundPort(
            String name,
            int port,
            List<Integer> servicePorts,
            Protocol protocol,
            Optional<HostPort> listen,
            HostPort application) {
        this(name, port, servicePorts, protocol, listen, application, Optional.empty());
    }

    public InboundPort {
        requireNonNull(name, "name");
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("inbound port %s is %d, not 1 to 65535".formatted(name, port));
        }
        servicePorts = List.copyOf(servicePorts);
        requireNonNull(protocol, "protocol");
        requireNonNull(listen, "listen");
        requireNonNull(application, "application");
        requireNonNull(rateLimit, "rateLimit");
    }
}
