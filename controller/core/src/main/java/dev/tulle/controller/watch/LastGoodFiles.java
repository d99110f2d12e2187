package dev.tulle.controller.watch;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Copies of files as they last could be read, so that a restart beside a broken file loses nothing of what it said before: a
 * TrafficTarget in it would else stop to close its workload.
 *
 * <p>Best effort: a copy that cannot be written is logged and costs only the protection. Not thread-safe.
 */
final class LastGoodFiles {
    private static final Logger LOG = System.getLogger(LastGoodFiles.class.getName());
    private static final String ENDING = ".good";

    private final Path folder;

    /** Copies in a folder of their own, which is made when it is needed. */
    LastGoodFiles(Path folder) {
        this.folder = requireNonNull(folder, "folder");
    }

    /** The text a file had when it was last good, or empty when nobody kept it. */
    Optional<String> read(String name) {
        Path copy = copyOf(name);
        try {
            if (Files.isRegularFile(copy) && Files.size(copy) <= DirectorySource.MAX_FILE_BYTES) {
                return Optional.of(Files.readString(copy));
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the last good copy of {0} cannot be read: {1}", name, e.getMessage());
        }
        return Optional.empty();
    }

    /** Keeps the text of a file that is good now. */
    void keep(String name, String text) {
        if (read(name).filter(text::equals).isPresent()) {
            return;
        }
        Path copy = copyOf(name);
        Path fresh = copy.resolveSibling(copy.getFileName() + ".tmp");
        try {
            Files.createDirectories(folder);
            Files.writeString(fresh, text);
            try {
                Files.move(fresh, copy, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(fresh, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "no last good copy of {0} is kept: {1}", name, e.toString());
        }
    }

    /** Forgets every file but these: what was deleted must not come back. */
    void retain(Collection<String> names) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        var kept = names.stream().map(name -> copyOf(name).getFileName()).collect(Collectors.toSet());
        List<Path> gone;
        try (Stream<Path> copies = Files.list(folder)) {
            gone = copies.filter(copy -> !kept.contains(copy.getFileName())).toList();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the last good copies in {0} cannot be listed: {1}", folder, e.getMessage());
            return;
        }
        for (Path copy : gone) {
            try {
                Files.deleteIfExists(copy);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "{0} cannot be deleted: {1}", copy, e.getMessage());
            }
        }
    }

    /** One flat name for each file, whatever its folder and length. */
    private Path copyOf(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return folder.resolve(HexFormat.of().formatHex(digest) + ENDING);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
