package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

/**
 * Where in the files something stands.
 *
 * @param file relative to the watched directory, with {@code /}
 * @param line from 1; 0 when only the file is known
 * @param column from 1; 0 when only the line is known
 */
public record Place(String file, int line, int column) {
    public Place {
        requireNonNull(file, "file");
    }

    @Override
    public String toString() {
        return file + (line > 0 ? ":" + line : "") + (line > 0 && column > 0 ? ":" + column : "");
    }
}
