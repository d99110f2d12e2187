package dev.tulle.conformance.mesh;

import dev.tulle.conformance.repository.Repository;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One program of ours as a process of its own, with its log; ended with the test whatever happens. */
public final class Program implements AutoCloseable {
    private static final int MAX_LOG = 1 << 20;
    private static final Duration END_BOUND = Duration.ofSeconds(10);

    private final String name;
    private final Process process;
    /** Guarded by itself. */
    private final StringBuilder log = new StringBuilder();

    private final Thread reader;

    private Program(String name, Process process) {
        this.name = name;
        this.process = process;
        this.reader = Thread.ofPlatform().daemon().start(this::read);
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Starts a command in a folder; what it prints is kept in memory, so that a full disk does not swallow it. */
    public static Program start(Path folder, String name, List<String> command) {
        return start(folder, name, command, Map.of());
    }

    /** The same with further environment variables. */
    public static Program start(Path folder, String name, List<String> command, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"));
        builder.environment().putAll(environment);
        try {
            return new Program(name, builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("starting " + command, e);
        }
    }

    /** A Java program from those entries of this test's own class path that are wanted. */
    public static List<String> javaFromClassPath(
            List<String> flags, Predicate<String> entries, String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(java()));
        command.addAll(flags);
        command.add("-cp");
        command.add(Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entries)
                .collect(Collectors.joining(File.pathSeparator)));
        command.add(mainClass);
        command.addAll(arguments);
        return List.copyOf(command);
    }

    /** The {@code java} that runs this test. */
    public static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** A jar that {@code ./mvnw verify} makes before this module's tests; may be missing after less. */
    public static Path built(String path) {
        return Repository.root().resolve(path);
    }

    /** A port of the loopback address that nobody has taken yet. */
    public static int freePort() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until something holds; fails with the log when the program ends first or the bound is over. */
    public Program awaitThat(String what, Duration bound, BooleanSupplier condition) {
        long end = System.nanoTime() + bound.toNanos();
        while (!condition.getAsBoolean()) {
            if (!process.isAlive()) {
                throw new AssertionError(
                        "%s ended with %d before %s; its log:%n%s".formatted(name, process.exitValue(), what, log()));
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("%s: not %s within %s; its log:%n%s".formatted(name, what, bound, log()));
            }
            pause();
        }
        return this;
    }

    /** Waits for the program to end by itself and gives its exit code. */
    public int awaitEnd(Duration bound) {
        try {
            if (!process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("%s has not ended within %s; its log:%n%s".formatted(name, bound, log()));
            }
            reader.join(END_BOUND);
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** SIGKILL, and waits until it is gone. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd(END_BOUND);
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** What it has printed so far, at most the first MiB. */
    public String log() {
        synchronized (log) {
            return log.toString();
        }
    }

    /** Resident memory in bytes, from {@code /proc}. */
    public long residentBytes() {
        return statusKiB("VmRSS") << 10;
    }

    /** Processor time used so far, user and system, in seconds. */
    public double processorSeconds() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(END_BOUND.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private void read() {
        try (Reader text = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)) {
            char[] block = new char[4096];
            for (int count = text.read(block); count >= 0; count = text.read(block)) {
                synchronized (log) {
                    if (log.length() < MAX_LOG) {
                        log.append(block, 0, count);
                    }
                }
            }
        } catch (IOException e) {
            // The process was ended while it was read.
        }
    }

    private long statusKiB(String field) {
        try (var lines = Files.lines(Path.of("/proc/%d/status".formatted(process.pid())))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no %s of %s".formatted(field, name)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
