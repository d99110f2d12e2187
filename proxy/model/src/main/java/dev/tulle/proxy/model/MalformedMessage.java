package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * A message or file that does not say what it must; nothing of it is used.
 *
 * <p>The text names the field and what is wrong with it, as in {@code policy.access: not one of open, closed, audit: 'opne'}.
 */
public final class MalformedMessage extends Exception {
    private final String field;

    MalformedMessage(String field, String problem) {
        super((field.isEmpty() ? "" : field + ": ") + problem);
        this.field = requireNonNull(field, "field");
    }

    /** Path of the field, as in {@code config.inbound[2].port}; empty for the text as a whole. */
    public String field() {
        return field;
    }
}
