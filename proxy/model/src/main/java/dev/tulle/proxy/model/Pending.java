package dev.tulle.proxy.model;

/** Stands where a body follows. */
public final class Pending {
    private Pending() {}

    @SuppressWarnings({"DoNotCallSuggester", "TypeParameterUnusedInFormals"})
    public static <T> T body() {
        throw new UnsupportedOperationException();
    }
}
