package dev.tulle.quickstart;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The only place where the quickstart writes: the mesh's files to edit, the controller's state, tokens, logs and process numbers.
 *
 * <p>Held by one supervisor at a time, through a lock that ends with the process.
 */
final class WorkFolder implements AutoCloseable {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private final Path root;
    private final FileChannel lockFile;

    private WorkFolder(Path root, FileChannel lockFile) {
        this.root = root;
        this.lockFile = lockFile;
    }

    /** The folder is another supervisor's. */
    static final class InUse extends Exception {
        InUse(Path root) {
            super("a quickstart runs in %s already: end it, or choose another folder with --work".formatted(root));
        }
    }

    /**
     * Takes {@code root} and empties it, but for {@code mesh} and {@code state} when {@code keep} is set.
     *
     * @throws InUse when another supervisor has it
     */
    static WorkFolder take(Path root, boolean keep) throws IOException, InUse {
        Files.createDirectories(root);
        Files.setPosixFilePermissions(root, OWNER_ONLY);
        FileChannel lockFile =
                FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = lockFile.tryLock();
        if (lock == null) {
            lockFile.close();
            throw new InUse(root);
        }
        WorkFolder folder = new WorkFolder(root, lockFile);
        List<Path> kept = keep ? List.of(folder.mesh(), folder.state()) : List.of();
        for (Path path : List.of(
                folder.mesh(), folder.state(), folder.tokens(), folder.logs(), folder.pids(), folder.scratch())) {
            if (!kept.contains(path)) {
                delete(path);
            }
            Files.createDirectories(path);
            Files.setPosixFilePermissions(path, OWNER_ONLY);
        }
        return folder;
    }

    /** Copies the files of {@code from} to {@link #mesh}, their ports moved; what is there already stays. */
    void copyMesh(Path from, Ports ports) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(from, "*.yaml")) {
            for (Path file : files) {
                Path to = mesh().resolve(file.getFileName().toString());
                if (!Files.exists(to)) {
                    Files.writeString(to, ports.moved(Files.readString(file)));
                }
            }
        }
    }

    Path root() {
        return root;
    }

    /** The running mesh's YAML: what the tour edits. */
    Path mesh() {
        return root.resolve("mesh");
    }

    Path state() {
        return root.resolve("state");
    }

    Path tokens() {
        return root.resolve("tokens");
    }

    Path logs() {
        return root.resolve("logs");
    }

    /** One file a process, or two for an instance: its application's and its proxy's number. */
    Path pids() {
        return root.resolve("pids");
    }

    /** Temporary files of all processes. */
    Path scratch() {
        return root.resolve("tmp");
    }

    /** Removes the whole folder; only for one that nobody will look at. */
    void remove() throws IOException {
        close();
        delete(root);
    }

    @Override
    public void close() throws IOException {
        lockFile.close();
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @org.jspecify.annotations.Nullable IOException error)
                    throws IOException {
                if (error != null) {
                    throw error;
                }
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** The last lines of a log, for a message that says why something did not start. */
    static String tail(Path log, int lines) {
        try (Stream<String> all = Files.lines(log)) {
            List<String> text = all.toList();
            return String.join("\n", text.subList(Math.max(0, text.size() - lines), text.size()));
        } catch (IOException | java.io.UncheckedIOException e) {
            return "";
        }
    }
}
