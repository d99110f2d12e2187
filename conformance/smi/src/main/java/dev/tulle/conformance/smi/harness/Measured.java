package dev.tulle.conformance.smi.harness;

import org.junit.jupiter.api.extension.ExtensionContext;

/** Takes what a case measured into the report, whether it passes or fails. */
public final class Measured {
    private final ExtensionContext context;

    Measured(ExtensionContext context) {
        this.context = context;
    }

    /** Adds a value under a name; the last one under a name counts. Numbers stay numbers in the JSON. */
    public Measured note(String name, Object value) {
        String text = String.valueOf(value);
        context.publishReportEntry(name, text.isBlank() ? "-" : text);
        return this;
    }
}
