package dev.tulle.controller.why;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An HTTP request as somebody asks about it.
 *
 * @param method upper case, e.g. {@code GET}
 * @param target path from {@code /} as it would be sent; a query is allowed
 * @param headers values by lower-case name; {@code host} is the authority
 */
public record AskedRequest(String method, String target, SortedMap<String, List<String>> headers) {
    public AskedRequest {
        requireNonNull(method, "method");
        requireNonNull(target, "target");
        SortedMap<String, List<String>> copy = new TreeMap<>();
        headers.forEach((name, values) -> copy.put(name.toLowerCase(Locale.ROOT), List.copyOf(values)));
        headers = Collections.unmodifiableSortedMap(copy);
    }

    /** A request without headers that matter. */
    public static AskedRequest of(String method, String target) {
        return new AskedRequest(method, target, new TreeMap<>());
    }
}
