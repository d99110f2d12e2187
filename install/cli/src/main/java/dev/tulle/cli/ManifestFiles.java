package dev.tulle.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads the manifests that somebody names on the command line: files, directories with all below them, and standard input. */
final class ManifestFiles {
    static final int MAX_FILES = 2_000;
    static final int MAX_BYTES = 64 << 20;
    private static final int MAX_DEPTH = 16;
    private static final List<String> ENDINGS = List.of(".yaml", ".yml", ".json");

    /** What standard input is called. */
    static final String STANDARD_INPUT = "-";

    private final SortedMap<String, String> texts = new TreeMap<>();
    private long bytes;

    private ManifestFiles() {}

    /**
     * Texts by name, as the names begin on the command line. Of a directory: files that end in {@code .yaml}, {@code .yml} or
     * {@code .json}, but no hidden ones.
     *
     * @throws IOException when one cannot be read, or it is all too much; the message is a sentence
     */
    static SortedMap<String, String> read(List<String> paths, InputStream standardInput) throws IOException {
        ManifestFiles files = new ManifestFiles();
        for (String path : paths) {
            if (path.equals(STANDARD_INPUT)) {
                files.take(STANDARD_INPUT, standardInput);
            } else if (Files.isDirectory(Path.of(path))) {
                files.directory(Path.of(path));
            } else {
                files.file(Path.of(path));
            }
        }
        return files.texts;
    }

    private void directory(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory, MAX_DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            for (Path path : (Iterable<Path>) all.sorted()::iterator) {
                String name =
                        path.getFileName() == null ? "" : path.getFileName().toString();
                if (ENDINGS.stream().anyMatch(name::endsWith)
                        && !isHidden(directory, path)
                        && Files.isRegularFile(path)) {
                    file(path);
                }
            }
        } catch (UncheckedIOException e) {
            IOException cause = e.getCause();
            throw told(directory.toString(), cause == null ? new IOException(e.getMessage()) : cause);
        } catch (FileSystemException e) {
            throw told(directory.toString(), e);
        }
    }

    private static boolean isHidden(Path directory, Path path) {
        for (Path part : directory.relativize(path)) {
            if (part.toString().startsWith(".")) {
                return true;
            }
        }
        return false;
    }

    private void file(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            take(path.toString().replace('\\', '/'), in);
        } catch (FileSystemException e) {
            throw told(path.toString(), e);
        }
    }

    /** The same as a sentence: of a file the platform often says no more than its name. */
    static IOException told(String path, IOException cause) {
        return switch (cause) {
            case NoSuchFileException e -> new IOException("there is no file or directory %s".formatted(e.getFile()), e);
            case AccessDeniedException e ->
                new IOException("%s: your user may not read or write it".formatted(e.getFile()), e);
            case FileAlreadyExistsException e ->
                new IOException("%s is there already and no directory".formatted(e.getFile()), e);
            default ->
                cause.getMessage() != null && cause.getMessage().startsWith(path)
                        ? cause
                        : new IOException("%s: %s".formatted(path, cause.getMessage()), cause);
        };
    }

    private void take(String name, InputStream in) throws IOException {
        byte[] read = in.readNBytes((int) (MAX_BYTES - bytes + 1));
        bytes += read.length;
        if (bytes > MAX_BYTES || texts.size() >= MAX_FILES) {
            throw new IOException("%s: there are more than %d files or %d bytes; name fewer at once"
                    .formatted(name, MAX_FILES, MAX_BYTES));
        }
        try {
            texts.put(
                    name,
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(read))
                            .toString());
        } catch (CharacterCodingException e) {
            throw new IOException("%s: is not UTF-8 text".formatted(name), e);
        }
    }
}
