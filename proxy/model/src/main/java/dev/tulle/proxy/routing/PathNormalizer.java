package dev.tulle.proxy.routing;

/** Gives every path one spelling, so that the path judged is the path forwarded. */
public final class PathNormalizer {
    /** Longest path, without its query, in characters as received. */
    public static final int MAX_PATH = 8 << 10;

    private PathNormalizer() {}

    /**
     * Normalises a request target in origin form, or {@code *}.
     *
     * @param target as received, one character a byte (ISO 8859-1); an absolute form has lost its scheme and authority before
     * @return for a target that needs nothing, the same String object
     */
    public static NormalizedPath normalize(String target) {
        return dev.tulle.proxy.model.Pending.body();
    }
}
