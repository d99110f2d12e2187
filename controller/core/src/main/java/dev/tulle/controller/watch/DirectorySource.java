package dev.tulle.controller.watch;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.Place;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.watch.YamlFile.Document;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a directory of YAML and JSON files and everything below it, and watches it.
 *
 * <p>Files end in {@code .yaml}, {@code .yml} or {@code .json}; names that begin with a dot are passed over, links are followed. A file
 * that cannot be read keeps the last good version of its objects, and so does everything while the directory itself is away. Changes
 * are noticed by the file system's events and, where these fail, by a slow rescan.
 */
public final class DirectorySource implements ResourceSource {
    /** How often everything is looked at without an event. */
    public static final Duration RESCAN = Duration.ofSeconds(2);

    /** How long no event may come before a burst counts as over. */
    public static final Duration QUIET = Duration.ofMillis(50);

    /** How long a burst is waited out at most. */
    public static final Duration MAX_SETTLE = Duration.ofMillis(500);

    public static final int MAX_FILES = 2_000;
    public static final int MAX_FILE_BYTES = 4 << 20;
    public static final int MAX_TOTAL_BYTES = 16 << 20;
    public static final int MAX_DEPTH = 16;

    /** Two writes within this time may leave the same time stamp, so a file this young is read again. */
    private static final Duration STAMP_DOUBT = Duration.ofSeconds(2);

    private static final Duration CLOSE_WAIT = Duration.ofSeconds(2);
    private static final Logger LOG = System.getLogger(DirectorySource.class.getName());

    private final Path directory;
    private final Duration rescan;
    private final Optional<LastGoodFiles> lastGood;
    private final ResourceReader reader = new ResourceReader();
    private SortedMap<String, KnownFile> known = new TreeMap<>();
    private @Nullable Resources last;
    private @Nullable WatchService events;
    private @Nullable Thread thread;
    private volatile boolean closed;

    /** A source over a directory; it need not exist yet. What a broken file said before is forgotten with this object. */
    public DirectorySource(Path directory) {
        this(directory, RESCAN, Optional.empty());
    }

    /**
     * A source that remembers the last good version of each file across restarts.
     *
     * @param copies a folder of its own for the copies, outside {@code directory}; made when needed
     */
    public DirectorySource(Path directory, Path copies) {
        this(directory, RESCAN, Optional.of(copies));
    }

    DirectorySource(Path directory, Duration rescan) {
        this(directory, rescan, Optional.empty());
    }

    private DirectorySource(Path directory, Duration rescan, Optional<Path> copies) {
        this.lastGood = copies.map(LastGoodFiles::new);
        this.directory = requireNonNull(directory, "directory");
        this.rescan = requireNonNull(rescan, "rescan");
    }

    @Override
    public synchronized void start(Consumer<Resources> listener) {
        if (thread != null || closed) {
            throw new IllegalStateException("the source of %s was started or closed before".formatted(directory));
        }
        try {
            events = directory.getFileSystem().newWatchService();
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "no file events for {0}, changes are seen within {1}: {2}",
                    directory,
                    rescan,
                    e.getMessage());
        }
        look(listener);
        Thread watcher = Thread.ofPlatform().daemon().name("tulle-directory").unstarted(() -> watch(listener));
        thread = watcher;
        watcher.start();
    }

    @Override
    public synchronized void close() {
        closed = true;
        Thread running = thread;
        if (running != null && !running.equals(Thread.currentThread())) {
            running.interrupt();
            try {
                running.join(CLOSE_WAIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        if (events != null) {
            try {
                events.close();
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "closing the file events of {0}: {1}", directory, e.getMessage());
            }
        }
    }

    private void watch(Consumer<Resources> listener) {
        while (!closed) {
            try {
                awaitSettledChange();
                look(listener);
            } catch (InterruptedException | ClosedWatchServiceException e) {
                return;
            }
        }
    }

    /** Waits for an event and the end of its burst, or for the next rescan. */
    private void awaitSettledChange() throws InterruptedException {
        WatchService service = events;
        if (service == null) {
            Thread.sleep(rescan);
            return;
        }
        WatchKey key = service.poll(rescan.toNanos(), TimeUnit.NANOSECONDS);
        long settled = System.nanoTime() + MAX_SETTLE.toNanos();
        while (key != null) {
            key.pollEvents();
            key.reset();
            long left = Math.min(QUIET.toNanos(), settled - System.nanoTime());
            key = left <= 0 ? null : service.poll(left, TimeUnit.NANOSECONDS);
        }
    }

    /** Looks at every file and tells the listener if that changed anything; its failures do not end the watching. */
    private void look(Consumer<Resources> listener) {
        try {
            Resources resources = readAll();
            if (!closed && !resources.equals(last)) {
                last = resources;
                listener.accept(resources);
            }
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "a change of " + directory + " could not be taken over", e);
        }
    }

    private Resources readAll() {
        List<Problem> problems = new ArrayList<>();
        Listing listing = list(problems);
        SortedMap<String, KnownFile> now = new TreeMap<>();
        known.forEach((name, file) -> {
            if (listing.unreadable().stream()
                    .anyMatch(part -> part.isEmpty() || name.equals(part) || name.startsWith(part + "/"))) {
                now.put(name, file);
            }
        });
        listing.files().forEach((name, stamp) -> {
            KnownFile before = known.get(name);
            now.put(name, before != null && before.isSure(stamp) ? before : read(name, stamp, before));
        });
        boolean changed = last == null || !now.keySet().equals(known.keySet());
        if (changed && listing.unreadable().isEmpty()) {
            lastGood.ifPresent(copies -> copies.retain(now.keySet()));
        }
        known = now;
        SortedMap<String, List<Document>> documents = new TreeMap<>();
        now.forEach((name, file) -> {
            documents.put(name, file.documents());
            file.problem().ifPresent(problems::add);
        });
        return reader.read(documents, problems);
    }

    /**
     * What is there.
     *
     * @param files by name relative to the directory, with {@code /}
     * @param unreadable parts that could not be listed, likewise; the empty name is the directory itself
     */
    private record Listing(SortedMap<String, Stamp> files, List<String> unreadable) {}

    private Listing list(List<Problem> problems) {
        SortedMap<String, Stamp> files = new TreeMap<>();
        List<String> unreadable = new ArrayList<>();
        try {
            Files.walkFileTree(
                    directory,
                    EnumSet.of(FileVisitOption.FOLLOW_LINKS),
                    MAX_DEPTH,
                    new Walk(files, unreadable, problems));
        } catch (IOException e) {
            unreadable.add("");
            problems.add(fileProblem("", 0, 0, "", cause(e), "the last good version of everything is kept"));
        }
        return new Listing(bounded(files, problems), unreadable);
    }

    private SortedMap<String, Stamp> bounded(SortedMap<String, Stamp> files, List<Problem> problems) {
        int count = 0;
        long bytes = 0;
        for (var file : files.entrySet()) {
            bytes += file.getValue().size();
            if (++count > MAX_FILES || bytes > MAX_TOTAL_BYTES) {
                problems.add(fileProblem(
                        file.getKey(),
                        0,
                        0,
                        "",
                        "there are more than %d files or %d bytes".formatted(MAX_FILES, MAX_TOTAL_BYTES),
                        "this file and those after it are left out"));
                return files.headMap(file.getKey());
            }
        }
        return files;
    }

    private final class Walk extends SimpleFileVisitor<Path> {
        private final SortedMap<String, Stamp> files;
        private final List<String> unreadable;
        private final List<Problem> problems;

        Walk(SortedMap<String, Stamp> files, List<String> unreadable, List<Problem> problems) {
            this.files = files;
            this.unreadable = unreadable;
            this.problems = problems;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
            if (!path.equals(directory) && isHidden(path)) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            register(path);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) throws IOException {
            if (path.equals(directory)) {
                throw new NotDirectoryException(path.toString());
            }
            String name = name(path);
            if (!isHidden(path) && (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"))) {
                if (attributes.isRegularFile()) {
                    files.put(name, Stamp.of(attributes));
                } else if (attributes.isDirectory()) {
                    problems.add(fileProblem(
                            name, 0, 0, "", "folders deeper than %d are not read".formatted(MAX_DEPTH), "left out"));
                }
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path path, IOException failure) throws IOException {
            if (path.equals(directory)) {
                throw failure;
            }
            if (!(failure instanceof NoSuchFileException) && !isHidden(path)) {
                String name = name(path);
                if (failure instanceof FileSystemLoopException) {
                    problems.add(fileProblem(name, 0, 0, "", "a link that leads back to itself", "left out"));
                } else {
                    unreadable.add(name);
                    problems.add(fileProblem(name, 0, 0, "", cause(failure), "the last good version is kept"));
                }
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path path, @Nullable IOException failure) throws IOException {
            return failure == null ? FileVisitResult.CONTINUE : visitFileFailed(path, failure);
        }
    }

    /** Asks for events, each time anew: another directory may have taken the path since. */
    private void register(Path path) {
        WatchService service = events;
        if (service == null) {
            return;
        }
        try {
            path.register(
                    service,
                    StandardWatchEventKinds.ENTRY_CREATE,
                    StandardWatchEventKinds.ENTRY_MODIFY,
                    StandardWatchEventKinds.ENTRY_DELETE);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "no file events for {0}: {1}", path, e.getMessage());
        }
    }

    private KnownFile read(String name, Stamp stamp, @Nullable KnownFile before) {
        List<Document> goodBefore = before == null ? rememberedOf(name) : before.documents();
        String kept = goodBefore.isEmpty() ? "the file is left out" : "the last good version of its objects is kept";
        long readAt = System.currentTimeMillis();
        Problem problem;
        try (InputStream in = Files.newInputStream(directory.resolve(name))) {
            byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                problem = fileProblem(
                        name, 0, 0, "", "is larger than %d bytes; split it".formatted(MAX_FILE_BYTES), kept);
            } else {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
                switch (YamlFile.read(text)) {
                    case YamlFile.Documents(List<Document> documents) -> {
                        lastGood.ifPresent(copies -> copies.keep(name, text));
                        return new KnownFile(stamp, readAt, documents, Optional.empty());
                    }
                    case YamlFile.Unreadable(int line, int column, String field, String message) ->
                        problem = fileProblem(name, line, column, field, message, kept);
                }
            }
        } catch (CharacterCodingException e) {
            problem = fileProblem(name, 0, 0, "", "is not UTF-8 text", kept);
        } catch (IOException e) {
            problem = fileProblem(name, 0, 0, "", cause(e), kept);
        }
        return new KnownFile(stamp, readAt, goodBefore, Optional.of(problem));
    }

    /** What a file said when an earlier run of ours last could read it. */
    private List<Document> rememberedOf(String name) {
        return lastGood.flatMap(copies -> copies.read(name))
                .map(text -> YamlFile.read(text) instanceof YamlFile.Documents(List<Document> documents)
                        ? documents
                        : List.<Document>of())
                .orElse(List.of());
    }

    private Problem fileProblem(String name, int line, int column, String field, String message, String outcome) {
        Place place = new Place(name.isEmpty() ? directory.toString() : name, line, column);
        return new Problem(Severity.ERROR, Optional.empty(), Optional.of(place), field, message, outcome);
    }

    private String name(Path path) {
        return directory.relativize(path).toString().replace('\\', '/');
    }

    private static boolean isHidden(Path path) {
        return path.getFileName().toString().startsWith(".");
    }

    private static String cause(IOException e) {
        return switch (e) {
            case NoSuchFileException gone -> "is not there";
            case AccessDeniedException denied -> "may not be read; check its permissions";
            case NotDirectoryException file -> "is not a directory";
            default -> "cannot be read: " + e.getMessage();
        };
    }

    /** What tells one version of a file from the next without reading it. */
    private record Stamp(long size, long modifiedMillis, String key) {
        static Stamp of(BasicFileAttributes attributes) {
            return new Stamp(
                    attributes.size(), attributes.lastModifiedTime().toMillis(), String.valueOf(attributes.fileKey()));
        }
    }

    /**
     * A file as it was last read.
     *
     * @param documents of its last good version
     */
    private record KnownFile(Stamp stamp, long readAt, List<Document> documents, Optional<Problem> problem) {
        /** Whether this is certainly what the file holds. */
        boolean isSure(Stamp now) {
            return now.equals(stamp) && readAt - stamp.modifiedMillis() > STAMP_DOUBT.toMillis();
        }
    }
}
