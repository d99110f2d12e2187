package dev.tulle.controller.model;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.InboundPolicy;

/**
 * Who may call a workload, and where each setting of that comes from.
 *
 * @param policy as it takes effect
 * @param accessFrom one phrase, e.g. {@code annotation tulle.dev/access of Namespace shop}
 * @param unmeshedFrom likewise
 * @param sameIdentityFrom likewise
 * @param pathMatchFull whether path patterns must match the whole path
 * @param pathMatchFrom likewise
 */
public record WorkloadAccess(
        InboundPolicy policy,
        String accessFrom,
        String unmeshedFrom,
        String sameIdentityFrom,
        boolean pathMatchFull,
        String pathMatchFrom) {
    public WorkloadAccess {
        requireNonNull(policy, "policy");
        requireNonNull(accessFrom, "accessFrom");
        requireNonNull(unmeshedFrom, "unmeshedFrom");
        requireNonNull(sameIdentityFrom, "sameIdentityFrom");
        requireNonNull(pathMatchFrom, "pathMatchFrom");
    }
}
