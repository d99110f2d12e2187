package dev.tulle.proxy.policy;

import static java.util.Objects.requireNonNull;

/** What inbound policy says of one call. */
public sealed interface Verdict {
    /**
     * May pass.
     *
     * @param rule the TrafficTarget that admits it, {@code namespace/name}, or one of the implied rules {@link #OPEN},
     *     {@link #UNMESHED} and {@link #SAME_IDENTITY}
     */
    record Allow(String rule) implements Verdict {
        /** The workload is open. */
        public static final String OPEN = "open";

        /** The caller has no identity and the workload always takes such callers. */
        public static final String UNMESHED = "unmeshed-always";

        /** The caller has the workload's own identity. */
        public static final String SAME_IDENTITY = "same-identity";

        public Allow {
            requireNonNull(rule, "rule");
        }
    }

    /** May pass because access is only audited; otherwise it would have been denied. */
    record Audit(Reason reason, String detail) implements Verdict {
        public Audit {
            requireNonNull(reason, "reason");
            requireNonNull(detail, "detail");
        }
    }

    /**
     * May not pass: HTTP gets a 403, gRPC status 7, an opaque connection is closed.
     *
     * @param detail one sentence for people, with the cure; printable ASCII
     */
    record Deny(Reason reason, String detail) implements Verdict {
        public Deny {
            requireNonNull(reason, "reason");
            requireNonNull(detail, "detail");
        }
    }
}
