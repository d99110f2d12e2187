package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What a leaf certificate says, whoever holds its key.
 *
 * @param identity the one URI name
 * @param dnsNames further names; only the controller's own certificate has some, so that people can call it by curl
 * @param addresses IPv4 or IPv6 addresses, same purpose
 * @param notBefore start; a little in the past, for clocks that lag
 * @param notAfter end, never after the issuer's
 */
record LeafProfile(
        SpiffeId identity, List<String> dnsNames, List<String> addresses, Instant notBefore, Instant notAfter) {
    /** How far a certificate's start lies back. */
    static final Duration BACKDATING = Duration.ofMinutes(5);

    LeafProfile {
        requireNonNull(identity, "identity");
        dnsNames = List.copyOf(dnsNames);
        addresses = List.copyOf(addresses);
        if (!notBefore.isBefore(notAfter)) {
            throw new IllegalArgumentException(
                    "a leaf of %s would live from %s to %s".formatted(identity, notBefore, notAfter));
        }
    }

    /** The leaf of a workload, made now. */
    static LeafProfile ofWorkload(SpiffeId identity, Instant now, Duration life, Instant issuerEnd) {
        return new LeafProfile(
                identity, List.of(), List.of(), now.minus(BACKDATING), earlier(now.plus(life), issuerEnd));
    }

    /** The same leaf with names to call its holder by. */
    LeafProfile reachableAs(List<String> names, List<String> ips) {
        return new LeafProfile(identity, names, ips, notBefore, notAfter);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }
}
