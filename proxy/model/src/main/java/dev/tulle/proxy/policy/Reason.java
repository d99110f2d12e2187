package dev.tulle.proxy.policy;

import java.util.Locale;

/** Why a call may not pass; a closed list, its wire word is also the label of the denial counter and {@code x-tulle-reason}. */
public enum Reason {
    /** The proxy has no policy yet. */
    NO_POLICY,
    /** Plain text, and the workload never takes plain text. */
    UNMESHED_DENIED,
    /** Plain text, and the workload is closed. */
    NO_IDENTITY,
    /** No TrafficTarget names the caller. */
    NO_GRANT,
    /** No TrafficTarget that names the caller covers the port. */
    NO_PORT,
    /** An opaque connection, and what the caller was granted on the port is HTTP only. */
    NOT_HTTP,
    /** No HTTPRouteGroup that the caller was granted on the port matches the request. */
    NO_ROUTE;

    private final String wireName = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** The reason in lower case with hyphens, as in {@code no-grant}. */
    public String wireName() {
        return wireName;
    }
}
