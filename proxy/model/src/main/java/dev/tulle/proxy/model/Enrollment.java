package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * The controller's answer to an enrolment or a renewal.
 *
 * @param workload whom the token named; for a renewal, whom the proxy said in its request
 * @param identity what the leaf proves
 * @param chain PEM, leaf first, then the issuer; the anchor is not part of it
 * @param trust whom to trust from now on
 */
public record Enrollment(WorkloadId workload, SpiffeId identity, String chain, TrustBundle trust) {
    public Enrollment {
        requireNonNull(workload, "workload");
        requireNonNull(identity, "identity");
        requireNonNull(chain, "chain");
        requireNonNull(trust, "trust");
    }
}
