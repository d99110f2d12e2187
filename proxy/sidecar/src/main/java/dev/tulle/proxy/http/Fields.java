package dev.tulle.proxy.http;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one message in the order they came, names in lower case; immutable.
 *
 * <p>Flat: name and value alternate in one array, because a head is read once and written once. Names and values are Latin-1 text, a
 * character a byte.
 */
public final class Fields {
    /** No field at all. */
    public static final Fields EMPTY = new Fields(new String[0], 0);

    private final String[] flat;
    private final int length;

    private Fields(String[] flat, int length) {
        this.flat = flat;
        this.length = length;
    }

    /** Fields of alternating names and values; names must be in lower case. */
    public static Fields of(String... namesAndValues) {
        if (namesAndValues.length % 2 != 0) {
            throw new IllegalArgumentException("a name without a value: " + Arrays.toString(namesAndValues));
        }
        return new Fields(namesAndValues.clone(), namesAndValues.length);
    }

    public int size() {
        return length / 2;
    }

    public String name(int index) {
        return flat[2 * index];
    }

    public String value(int index) {
        return flat[2 * index + 1];
    }

    /** The first value of a name, or null. */
    public @Nullable String first(String name) {
        for (int i = 0; i < length; i += 2) {
            if (flat[i].equals(name)) {
                return flat[i + 1];
            }
        }
        return null;
    }

    public boolean contains(String name) {
        return first(name) != null;
    }

    /** Every value of a name, in order; empty when absent. */
    public List<String> all(String name) {
        List<String> values = List.of();
        for (int i = 0; i < length; i += 2) {
            if (flat[i].equals(name)) {
                if (values.isEmpty()) {
                    values = new ArrayList<>(2);
                }
                values.add(flat[i + 1]);
            }
        }
        return values;
    }

    public void forEach(BiConsumer<String, String> each) {
        for (int i = 0; i < length; i += 2) {
            each.accept(flat[i], flat[i + 1]);
        }
    }

    /** Their size as HTTP/2 counts it. Source: RFC 9113, 6.5.2. */
    int listBytes() {
        int bytes = length / 2 * 32;
        for (int i = 0; i < length; i++) {
            bytes += flat[i].length();
        }
        return bytes;
    }

    /** These fields less those whose name satisfies the condition; the same object where none does. */
    public Fields without(Predicate<String> condition) {
        for (int i = 0; i < length; i += 2) {
            if (condition.test(flat[i])) {
                return toBuilder().removeIf(condition).build();
            }
        }
        return this;
    }

    /** These fields and one more behind them; {@code name} must be in lower case. */
    public Fields and(String name, String value) {
        String[] longer = Arrays.copyOf(flat, length + 2);
        longer[length] = requireNonNull(name, "name");
        longer[length + 1] = requireNonNull(value, "value");
        return new Fields(longer, length + 2);
    }

    /** A builder that starts with these fields. */
    public Builder toBuilder() {
        return new Builder(Arrays.copyOf(flat, Math.max(length + 8, 8)), length);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof Fields fields && Arrays.equals(flat, 0, length, fields.flat, 0, fields.length));
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + flat[i].hashCode();
        }
        return hash;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
        return text.toString();
    }

    /** Collects fields; used up by {@link #build}. */
    public static final class Builder {
        private String[] flat;
        private int length;

        public Builder() {
            this(new String[32], 0);
        }

        private Builder(String[] flat, int length) {
            this.flat = flat;
            this.length = length;
        }

        /** Adds a field at the end; {@code name} must be in lower case. */
        public Builder add(String name, String value) {
            if (length == flat.length) {
                flat = Arrays.copyOf(flat, length * 2);
            }
            flat[length++] = requireNonNull(name, "name");
            flat[length++] = requireNonNull(value, "value");
            return this;
        }

        /** Removes every field of the name, then adds this one. */
        public Builder set(String name, String value) {
            return remove(name).add(name, value);
        }

        public Builder remove(String name) {
            return removeIf(name::equals);
        }

        /** Removes every field whose name satisfies the condition. */
        public Builder removeIf(Predicate<String> condition) {
            int kept = 0;
            for (int i = 0; i < length; i += 2) {
                if (!condition.test(flat[i])) {
                    flat[kept] = flat[i];
                    flat[kept + 1] = flat[i + 1];
                    kept += 2;
                }
            }
            length = kept;
            return this;
        }

        public int size() {
            return length / 2;
        }

        public Fields build() {
            return length == 0 ? EMPTY : new Fields(flat, length);
        }
    }
}
