package dev.tulle.controller.watch;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.Resources;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Reads a directory of YAML and JSON files and everything below it, and watches it. */
public final class DirectorySource implements ResourceSource {
    private final Path directory;

    /** A source over a directory; it need not exist yet. */
    public DirectorySource(Path directory) {
        this.directory = requireNonNull(directory, "directory");
    }

    @Override
    public void start(Consumer<Resources> listener) {
        throw new UnsupportedOperationException(directory.toString());
    }

    @Override
    public void close() {}
}
