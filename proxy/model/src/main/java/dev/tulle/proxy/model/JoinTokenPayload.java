package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * What a join token says.
 *
 * @param workload whom it lets in
 * @param expires first second at which it lets in nobody any more; whole seconds
 * @param trust whom the proxy trusts when it first calls the controller
 */
public record JoinTokenPayload(WorkloadId workload, Instant expires, TrustBundle trust) {
    public JoinTokenPayload {
        requireNonNull(workload, "workload");
        expires = Instant.ofEpochSecond(expires.getEpochSecond());
        requireNonNull(trust, "trust");
    }
}
