package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * Who may call a workload.
 *
 * @param access as it takes effect for this workload: {@code open} becomes {@code closed} in the controller once a TrafficTarget
 *     names the workload's service account
 * @param unmeshed what callers without identity may do
 * @param sameIdentity whether callers with the workload's own identity need no grant
 * @param grants ordered by target name; a call passes when any one of them allows it
 */
public record InboundPolicy(Access access, Unmeshed unmeshed, boolean sameIdentity, List<Grant> grants) {
    /** Accepts everyone; what a workload has while nobody asked for anything else. */
    public static final InboundPolicy OPEN = new InboundPolicy(Access.OPEN, Unmeshed.ALLOW, false, List.of());

    /** Accepts nobody; what a proxy enforces before its first config. */
    public static final InboundPolicy NOBODY = new InboundPolicy(Access.CLOSED, Unmeshed.DENY, false, List.of());

    public InboundPolicy {
        requireNonNull(access, "access");
        requireNonNull(unmeshed, "unmeshed");
        grants = List.copyOf(grants);
    }

    /** How calls without a grant are treated. */
    public enum Access {
        OPEN,
        CLOSED,
        /** Judged as closed, passed all the same, counted and reported. */
        AUDIT
    }

    /** How callers without identity (plain text) are treated. */
    public enum Unmeshed {
        /** They may reach an open workload, not a closed one. */
        ALLOW,
        /** Never let in. */
        DENY,
        /** Always let in, even by a closed workload. */
        ALWAYS
    }
}
