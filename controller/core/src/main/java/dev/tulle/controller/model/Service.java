package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import java.util.List;
import java.util.Optional;

/**
 * A Service with everything that answers behind it.
 *
 * @param name its name
 * @param addresses cluster addresses, where it has any
 * @param ports ordered by number
 * @param splits of which it is the root, in order of precedence, with every backend that was written; what holds for one port is
 *     in {@link ServicePort#splits()}
 * @param resilience how callers treat it
 * @param rateLimit how often a caller may ask one of the workloads it selects
 */
public record Service(
        ServiceName name,
        List<String> addresses,
        List<ServicePort> ports,
        List<Split> splits,
        Resilience resilience,
        Optional<RateLimit> rateLimit) {
    public Service {
        requireNonNull(name, "name");
        addresses = List.copyOf(addresses);
        ports = List.copyOf(ports);
        splits = List.copyOf(splits);
        requireNonNull(resilience, "resilience");
        requireNonNull(rateLimit, "rateLimit");
    }

    /** The port of this number. */
    public Optional<ServicePort> port(int number) {
        return ports.stream().filter(port -> port.port() == number).findFirst();
    }
}
