package dev.tulle.proxy.upstream;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.SpiffeId;
import java.util.Optional;

/**
 * Whom to dial, and whom to expect there.
 *
 * @param identity what the certificate must prove; absent for plain text
 */
public record Target(HostPort address, Optional<SpiffeId> identity) {
    public Target {
        requireNonNull(address, "address");
        requireNonNull(identity, "identity");
    }

    public static Target of(Endpoint endpoint) {
        return new Target(endpoint.address(), endpoint.identity());
    }

    /** A target in plain text. */
    public static Target plain(HostPort address) {
        return new Target(address, Optional.empty());
    }
}
