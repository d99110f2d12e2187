package dev.tulle.proxy.policy;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.util.Optional;

/**
 * Who calls.
 *
 * @param identity what the caller's certificate proved; absent for plain text
 */
public record Caller(Optional<SpiffeId> identity) {
    /** A caller in plain text. */
    public static final Caller UNMESHED = new Caller(Optional.empty());

    public Caller {
        requireNonNull(identity, "identity");
    }

    /** A caller whose certificate was verified. */
    public static Caller of(SpiffeId identity) {
        return new Caller(Optional.of(identity));
    }
}
