package dev.tulle.proxy.admin;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** Whether the proxy can do its work, and if not, what is missing. Safe for use by many threads. */
public final class Readiness {
    /** What must be there. */
    public enum Part {
        /** A certificate in force; always there for a proxy without identity. */
        IDENTITY,
        /** A config in force. */
        POLICY,
        /** Every listener of the config is bound. */
        LISTENERS,
        /** Redirected traffic arrives; always so where none is. */
        REDIRECT,
        /** The proxy is not about to end. */
        STAYING
    }

    private final Map<Part, String> missing = new EnumMap<>(Part.class);
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    public Readiness() {
        missing.put(Part.IDENTITY, "waiting for a certificate");
        missing.put(Part.POLICY, "waiting for the first config");
        missing.put(Part.LISTENERS, "waiting for the first config");
    }

    /** The part is there. */
    public void there(Part part) {
        change(() -> missing.remove(part) != null);
    }

    /** The part is not there; {@code why} for people. */
    public void missing(Part part, String why) {
        change(() -> !why.equals(missing.put(part, why)));
    }

    public synchronized boolean isReady() {
        return missing.isEmpty();
    }

    /** One line for each part that is missing; empty when ready. */
    public synchronized List<String> whatIsMissing() {
        return missing.entrySet().stream()
                .map(entry -> entry.getKey().name().toLowerCase(Locale.ROOT) + ": " + entry.getValue())
                .toList();
    }

    /** Calls back after each change, on the changing thread. */
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    private void change(BooleanSupplier step) {
        boolean changed;
        synchronized (this) {
            changed = step.getAsBoolean();
        }
        if (changed) {
            listeners.forEach(Runnable::run);
        }
    }
}
