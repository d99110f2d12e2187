package dev.tulle.conformance.smi.report;

import java.util.Locale;

/** How a case ended. What did not run is a skip, and never a pass. */
public enum Result {
    PASSED,
    FAILED,
    SKIPPED;

    /** As in the JSON. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
