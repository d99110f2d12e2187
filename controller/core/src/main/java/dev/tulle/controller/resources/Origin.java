package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The file an object was read from, and the lines of its fields.
 *
 * @param file relative to the watched directory, with {@code /}
 * @param lines line from 1 by field path ({@code spec.backends[0].weight}); the empty path is the document's first line
 */
public record Origin(String file, SortedMap<String, Integer> lines) {
    public Origin {
        requireNonNull(file, "file");
        lines = Collections.unmodifiableSortedMap(new TreeMap<>(lines));
    }

    /** Whether the document has such a field. */
    public boolean has(String field) {
        return lines.containsKey(field);
    }

    /** The lines of a part of the document, as if it were one of its own. */
    public Origin below(String part) {
        SortedMap<String, Integer> inside = new TreeMap<>();
        lines.forEach((path, line) -> {
            if (path.equals(part)) {
                inside.put("", line);
            } else if (path.startsWith(part + ".")) {
                inside.put(path.substring(part.length() + 1), line);
            }
        });
        return new Origin(file, inside);
    }

    /** Where the field stands, or else the nearest part that holds it. */
    public Place at(String field) {
        String path = field;
        while (!lines.containsKey(path) && !path.isEmpty()) {
            path = path.substring(0, Math.max(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['))));
        }
        return new Place(file, lines.getOrDefault(path, 0), 0);
    }
}
