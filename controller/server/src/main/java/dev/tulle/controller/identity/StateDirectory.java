package dev.tulle.controller.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The one directory where a controller keeps what must outlive it: 0700, its files 0600.
 *
 * <p>A write goes to a file beside, is synced, then renamed over the old one and the directory synced: after a crash there is the
 * old file or the new one. Several processes may read and one at a time may write, by a lock file; a second lock file says that a
 * controller runs. POSIX file systems only.
 */
public final class StateDirectory implements AuthorityStore {
    static final String AUTHORITY = "authority";
    private static final String CHANGE_LOCK = "change.lock";
    private static final String CONTROLLER_LOCK = "controller.lock";
    private static final int MAX_STATE_BYTES = 1 << 20;
    private static final int LOCK_TRIES = 100;
    private static final long LOCK_PAUSE_MILLIS = 100;
    private static final Set<PosixFilePermission> OWNER_ONLY =
            Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
            PosixFilePermissions.asFileAttribute(OWNER_ONLY);
    private static final Set<PosixFilePermission> DIRECTORY_PERMISSIONS = PosixFilePermissions.fromString("rwx------");

    private final Path directory;

    public StateDirectory(Path directory) {
        this.directory = requireNonNull(directory, "directory").toAbsolutePath().normalize();
    }

    /** The state that is there; empty when this is a new directory. */
    Optional<AuthorityState> read() throws UnusableState {
        Path file = directory.resolve(AUTHORITY);
        try {
            if (Files.size(file) > MAX_STATE_BYTES) {
                throw damaged(file, "it is larger than %d bytes".formatted(MAX_STATE_BYTES), null);
            }
            String text = new String(Files.readAllBytes(file), UTF_8);
            if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
                Files.setPosixFilePermissions(file, OWNER_ONLY);
            }
            return Optional.of(AuthorityFile.decode(text));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw damaged(file, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new UnusableState(
                    "cannot read %s: %s. Let this user read and write it, or name another --state-dir"
                            .formatted(file, reason(e)),
                    e);
        }
    }

    @Override
    public AuthorityState readOrCreate(Supplier<AuthorityState> fresh) throws UnusableState {
        Optional<AuthorityState> there = read();
        if (there.isPresent()) {
            return there.get();
        }
        create();
        Held lock = hold(CHANGE_LOCK, LOCK_TRIES)
                .orElseThrow(() ->
                        new UnusableState("another process has held %s for %d s: end it, or name another --state-dir"
                                .formatted(directory.resolve(CHANGE_LOCK), LOCK_TRIES * LOCK_PAUSE_MILLIS / 1000)));
        try {
            Optional<AuthorityState> meanwhile = read();
            if (meanwhile.isPresent()) {
                return meanwhile.get();
            }
            AuthorityState state = fresh.get();
            write(state);
            return state;
        } finally {
            lock.close();
        }
    }

    /** Only the running controller calls it, and only one runs: what is on disk is what it holds. */
    @Override
    public AuthorityState replace(AuthorityState held, AuthorityState next) throws UnusableState {
        write(next);
        return next;
    }

    @Override
    public String otherTrustDomain() {
        return "name another --state-dir";
    }

    private void write(AuthorityState state) throws UnusableState {
        Path file = directory.resolve(AUTHORITY);
        Path aside = directory.resolve(AUTHORITY + ".new");
        try {
            Files.deleteIfExists(aside);
            try (FileChannel channel = FileChannel.open(
                    aside, Set.<OpenOption>of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FILE_MODE)) {
                ByteBuffer bytes = ByteBuffer.wrap(AuthorityFile.encode(state).getBytes(UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    /**
     * Says that a controller runs on this directory, until {@link Held#close}.
     *
     * @throws UnusableState when another one does already
     */
    public Held holdForController() throws UnusableState {
        create();
        Held held = hold(CONTROLLER_LOCK, 1)
                .orElseThrow(
                        () -> new UnusableState("another controller%s uses %s: stop it, or name another --state-dir"
                                .formatted(holder(), directory)));
        held.note("process " + ProcessHandle.current().pid());
        return held;
    }

    private String holder() {
        try {
            String note = Files.readString(directory.resolve(CONTROLLER_LOCK)).strip();
            return note.isEmpty() ? "" : " (" + note + ")";
        } catch (IOException e) {
            return "";
        }
    }

    private void create() throws UnusableState {
        try {
            Path parent = directory.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            try {
                Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(DIRECTORY_PERMISSIONS));
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(directory)) {
                    throw e;
                }
                if (!Files.getPosixFilePermissions(directory).equals(DIRECTORY_PERMISSIONS)) {
                    Files.setPosixFilePermissions(directory, DIRECTORY_PERMISSIONS);
                }
            }
        } catch (IOException e) {
            throw unwritable(directory, e);
        }
    }

    private Optional<Held> hold(String name, int tries) throws UnusableState {
        Path file = directory.resolve(name);
        try {
            FileChannel channel = FileChannel.open(
                    file, Set.<OpenOption>of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), FILE_MODE);
            for (int i = 0; i < tries; i++) {
                if (i > 0) {
                    Thread.sleep(LOCK_PAUSE_MILLIS);
                }
                FileLock lock = tryLock(channel);
                if (lock != null) {
                    return Optional.of(new Held(channel));
                }
            }
            channel.close();
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnusableState("interrupted while waiting for " + file, e);
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static @org.jspecify.annotations.Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // Held by this very process, which counts as well.
        }
    }

    private static UnusableState damaged(Path file, String what, @org.jspecify.annotations.Nullable Throwable cause) {
        String message = "%s is damaged: %s. Restore it from a backup; or move it away to begin with a new root,"
                        .formatted(file, what)
                + " then every proxy needs a new join token";
        return cause == null ? new UnusableState(message) : new UnusableState(message, cause);
    }

    private static UnusableState unwritable(Path file, IOException e) {
        return new UnusableState(
                "cannot write %s: %s. Make room or let this user write there, or name another --state-dir"
                        .formatted(file, reason(e)),
                e);
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "there is a file in the way";
        }
        if (e instanceof NoSuchFileException) {
            return "nothing can be made there";
        }
        if (e instanceof DirectoryNotEmptyException) {
            return "there is a directory in the way";
        }
        if (e instanceof FileSystemException failure && failure.getReason() != null) {
            return failure.getReason();
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    /** A lock, held until closed or until the process ends. */
    public static final class Held implements AutoCloseable {
        private final FileChannel channel;

        private Held(FileChannel channel) {
            this.channel = channel;
        }

        private void note(String text) {
            try {
                channel.truncate(0);
                channel.write(ByteBuffer.wrap((text + "\n").getBytes(UTF_8)), 0);
            } catch (IOException e) {
                // The note only makes a message richer; the lock holds without it.
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                // The lock ends with the process at the latest.
            }
        }
    }
}
