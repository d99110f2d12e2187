package dev.tulle.proxy.telemetry;

import java.util.Locale;

/** What resilience can do to a call; the wire name is the word in reports, family and label those of the metric. */
public enum Act {
    RETRY("tulle_retries_total", ""),
    RETRY_BUDGET("tulle_retry_budget_exhausted_total", ""),
    MOVED("tulle_requests_moved_total", ""),
    TIMEOUT("tulle_timeouts_total", "total"),
    DEADLINE("tulle_timeouts_total", "deadline"),
    TIMEOUT_PER_TRY("tulle_timeouts_total", "per-try"),
    TIMEOUT_IDLE("tulle_timeouts_total", "idle"),
    EJECTION("tulle_ejections_total", ""),
    MAX_CONNECTIONS("tulle_overflows_total", "max-connections"),
    MAX_PENDING("tulle_overflows_total", "max-pending"),
    MAX_REQUESTS("tulle_overflows_total", "max-requests"),
    RATE_LIMIT("tulle_rate_limited_total", ""),
    FAULT_ABORT("tulle_faults_injected_total", "abort"),
    FAULT_DELAY("tulle_faults_injected_total", "delay");

    private final String family;
    private final String kind;

    Act(String family, String kind) {
        this.family = family;
        this.kind = kind;
    }

    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String family() {
        return family;
    }

    /** Value of the label {@code kind}; empty where the family has none. */
    String kind() {
        return kind;
    }
}
