package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.TestAuthority;
import dev.tulle.conformance.repository.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A subject under way: two proxies in a row, or none for the direct path. */
final class Running implements AutoCloseable {
    static final String TRUST_DOMAIN = "cluster.local";
    static final String NEAR_IDENTITY = "spiffe://" + TRUST_DOMAIN + "/ns/shop/sa/web";
    static final String FAR_IDENTITY = "spiffe://" + TRUST_DOMAIN + "/ns/shop/sa/catalog";

    private static final Duration START_BOUND = Duration.ofSeconds(60);
    private static final Duration START_POLL = Duration.ofMillis(1);
    private static final TestAuthority AUTHORITY = new TestAuthority(TRUST_DOMAIN);

    private final int port;
    private final List<Side> sides;
    /** All processes and their children ever seen; a killed master would leave its workers behind. */
    private final Set<ProcessHandle> seen = ConcurrentHashMap.newKeySet();

    private final Thread killer = new Thread(() -> seen.forEach(ProcessHandle::destroyForcibly));

    /** One proxy: how it is started, and its process. */
    private static final class Side {
        final Hop hop;
        final Subject.Command command;

        @Nullable Program program;

        Side(Hop hop, Subject.Command command) {
            this.hop = hop;
            this.command = command;
        }

        Program program() {
            if (program == null) {
                throw new IllegalStateException("the " + hop.name() + " side does not run");
            }
            return program;
        }

        void start() {
            program = Program.start(hop.folder(), hop.name(), command.words(), command.environment());
        }

        void close() {
            if (program != null) {
                program.close();
                program = null;
            }
        }
    }

    /**
     * What all subjects have in common.
     *
     * @param pinned what stands before a command so that it runs on the proxies' processors; empty where that is not possible
     */
    record Place(Path folder, List<String> pinned) {}

    private Running(int port, List<Side> sides) {
        this.port = port;
        this.sides = sides;
        Runtime.getRuntime().addShutdownHook(killer);
    }

    /** No proxy at all. */
    static Running direct(int origin) {
        return new Running(origin, List.of());
    }

    /** Starts both proxies and waits until something gets through. */
    static Running start(
            Subject subject, Place place, Traffic traffic, int origin, boolean resume, IntPredicate answers)
            throws IOException {
        return start(subject, place, traffic, origin, resume, answers, Optional.empty());
    }

    /** The same with something in between, if given. */
    static Running start(
            Subject subject,
            Place place,
            Traffic traffic,
            int origin,
            boolean resume,
            IntPredicate answers,
            Optional<Tap> tap)
            throws IOException {
        int near = Program.freePort();
        int far = Program.freePort();
        tap.ifPresent(there -> there.passTo(far));
        int between = tap.map(Tap::port).orElse(far);
        List<Side> sides = new ArrayList<>();
        for (Hop hop : List.of(
                new Hop(true, newFolder(place, subject, "near"), traffic, near, between, resume),
                new Hop(false, newFolder(place, subject, "far"), traffic, far, origin, resume))) {
            TestAuthority.Leaf leaf = AUTHORITY.leaf(AUTHORITY.identity("shop", hop.near() ? "web" : "catalog"));
            Files.writeString(hop.file("anchor.pem"), AUTHORITY.anchorPem());
            Files.writeString(hop.file("chain.pem"), leaf.chainPem());
            Files.writeString(hop.file("key.pem"), leaf.keyPem());
            Files.writeString(hop.file("both.pem"), leaf.chainPem() + leaf.keyPem());
            Subject.Command command = subject.prepare(hop);
            sides.add(new Side(
                    hop,
                    new Subject.Command(
                            Stream.concat(place.pinned().stream(), command.words().stream())
                                    .toList(),
                            command.environment())));
        }
        Running running = new Running(near, sides);
        try {
            sides.getLast().start();
            sides.getFirst().start();
            running.await(answers);
        } catch (RuntimeException | AssertionError e) {
            running.close();
            throw e;
        }
        return running;
    }

    /** Ends the proxy beside the caller and starts it again; seconds until something gets through. */
    double restartNear(IntPredicate answers) {
        Side near = sides.getFirst();
        near.close();
        long begin = System.nanoTime();
        near.start();
        while (!answers.test(port)) {
            if (!near.program().isAlive() || System.nanoTime() - begin > START_BOUND.toNanos()) {
                throw new IllegalStateException(
                        "it did not come up again: " + near.program().log());
            }
            Threads.sleep(START_POLL);
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    private void await(IntPredicate answers) {
        sides.getFirst().program().awaitThat("answering", START_BOUND, () -> {
            for (Side side : sides) {
                if (!side.program().isAlive()) {
                    throw new IllegalStateException(
                            "a proxy ended: " + side.program().log());
                }
            }
            return answers.test(port);
        });
        processes();
    }

    /** Where the caller dials. */
    int port() {
        return port;
    }

    /** Processor time of all proxies and their children since they began, user and system. */
    double processorSeconds() {
        return processes().stream()
                        .mapToDouble(process -> process.info()
                                .totalCpuDuration()
                                .orElse(Duration.ZERO)
                                .toNanos())
                        .sum()
                / 1e9;
    }

    /**
     * The same to the microsecond, where the kernel tells, but without threads that have ended: for differences over a while in which
     * little happens, for which the ticks of {@link #processorSeconds} are too coarse.
     */
    double processorSecondsOfLivingThreads() throws IOException {
        double nanos = 0;
        for (ProcessHandle process : processes()) {
            try (Stream<Path> threads = Files.list(Path.of("/proc/%d/task".formatted(process.pid())))) {
                for (Path thread : threads.toList()) {
                    Path times = thread.resolve("schedstat");
                    if (!Files.exists(times)) {
                        return processorSeconds();
                    }
                    nanos += Double.parseDouble(Shell.first(Repository.text(times), "^([0-9]+) "));
                }
            }
        }
        return nanos / 1e9;
    }

    /** Memory of one side, the mean of both, in bytes. */
    double residentBytesOfOne() {
        return memory("Rss") / 2;
    }

    /** The same, with shared pages divided among those who share them. */
    double proportionalBytesOfOne() {
        return memory("Pss") / 2;
    }

    private double memory(String field) {
        Pattern line = Pattern.compile("(?m)^" + field + ":\\s+([0-9]+) kB");
        double bytes = 0;
        for (ProcessHandle process : processes()) {
            Matcher matcher = line.matcher(Repository.text(Path.of("/proc/%d/smaps_rollup".formatted(process.pid()))));
            bytes += matcher.find() ? Long.parseLong(matcher.group(1)) * 1024.0 : 0;
        }
        return bytes;
    }

    /** A worker has a master, so the children count too. */
    private List<ProcessHandle> processes() {
        List<ProcessHandle> all = sides.stream()
                .map(side -> ProcessHandle.of(side.program().pid()))
                .flatMap(Optional::stream)
                .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
                .toList();
        seen.addAll(all);
        return all;
    }

    @Override
    public void close() {
        sides.forEach(Side::close);
        seen.forEach(ProcessHandle::destroyForcibly);
        Shell.unhook(killer);
    }

    private static Path newFolder(Place place, Subject subject, String side) throws IOException {
        return Files.createTempDirectory(place.folder(), subject.known().id + "-" + side + "-");
    }
}
