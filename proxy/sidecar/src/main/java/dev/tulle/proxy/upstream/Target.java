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
 * @param caller on whose behalf, where the other side is told; requests of different callers never share a connection, so that
 *     nobody gets the rest of somebody else's answer from an application that has lost count
 */
public record Target(HostPort address, Optional<SpiffeId> identity, Optional<SpiffeId> caller) {
    public Target {
        requireNonNull(address, "address");
        requireNonNull(identity, "identity");
        requireNonNull(caller, "caller");
    }

    public static Target of(Endpoint endpoint) {
        return new Target(endpoint.address(), endpoint.identity(), Optional.empty());
    }

    /** A target in plain text. */
    public static Target plain(HostPort address) {
        return new Target(address, Optional.empty(), Optional.empty());
    }

    /** The application of this proxy, in plain text, on behalf of a caller or of one without identity. */
    public static Target application(HostPort address, Optional<SpiffeId> caller) {
        return new Target(address, Optional.empty(), caller);
    }
}
