package dev.tulle.conformance.repository;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The source tree these tests run in. */
public final class Repository {
    /** Folders that hold nothing we wrote. */
    private static final Set<String> NOT_OURS =
            Set.of(".git", ".tulle", "target", ".idea", ".vscode", ".settings", "node_modules");

    private Repository() {}

    /** The top folder: the nearest one upwards that holds {@code mvnw}. */
    public static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
        }
        if (folder == null) {
            throw new IllegalStateException("no folder above " + Path.of("").toAbsolutePath() + " holds mvnw");
        }
        return folder;
    }

    /** Every file we wrote, ordered. */
    public static List<Path> files() {
        return walk(root(), NOT_OURS);
    }

    /** Every file below {@code folder} whose name ends with {@code suffix}, ordered; none if the folder is not there. */
    public static List<Path> filesUnder(Path folder, String suffix) {
        return walk(folder, Set.of()).stream()
                .filter(file -> file.toString().endsWith(suffix))
                .toList();
    }

    /** Every folder at or below {@code top} that holds a file whose name ends with {@code suffix}. */
    public static List<Path> foldersWith(Path top, String suffix) {
        return filesUnder(top, suffix).stream().map(Path::getParent).distinct().toList();
    }

    /** A file's text, UTF-8. */
    public static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + file, e);
        }
    }

    private static List<Path> walk(Path top, Set<String> without) {
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(top)) {
            return found;
        }
        try {
            Files.walkFileTree(top, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return !folder.equals(top)
                                    && without.contains(folder.getFileName().toString())
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (!without.contains(file.getFileName().toString())) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("listing " + top, e);
        }
        found.sort(null);
        return List.copyOf(found);
    }
}
