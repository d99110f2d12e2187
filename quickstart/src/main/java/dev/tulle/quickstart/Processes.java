package dev.tulle.quickstart;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The supervisor's children: starts them, notices when one ends, and ends them all.
 *
 * <p>A small shell process, the reaper, knows their numbers too and ends them when the supervisor is gone without having done so,
 * for example after {@code kill -9}. Safe for use by many threads.
 */
final class Processes implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(6);

    /** Reads {@code + PID} and {@code - PID}; when its input ends, ends what is left. Ctrl-C reaches it too and must not end it. */
    private static final String REAPER = """
            trap '' INT TERM HUP
            pids=
            while read -r change pid; do
              case $change in
                +) pids="$pids $pid" ;;
                -) left=; for p in $pids; do [ "$p" = "$pid" ] || left="$left $p"; done; pids=$left ;;
              esac
            done
            for p in $pids; do kill -TERM "$p" 2>/dev/null; done
            for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
              left=; for p in $pids; do kill -0 "$p" 2>/dev/null && left="$left $p"; done
              [ -n "$left" ] || exit 0
              sleep 0.2
            done
            for p in $left; do kill -KILL "$p" 2>/dev/null; done
            """;

    private final WorkFolder folder;
    private final Map<String, Process> running = new LinkedHashMap<>();
    private final Process reaper;
    private boolean closing;

    Processes(WorkFolder folder) throws IOException {
        this.folder = folder;
        reaper = new ProcessBuilder("/bin/sh", "-c", REAPER)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /**
     * Starts a child whose output goes to {@code logs/<name>.log}.
     *
     * @param name unique among those that run
     * @param group name of the file under {@code pids/} that lists it
     * @param ended told when the child ends although nobody stopped it
     */
    synchronized void start(
            String name, String group, List<String> command, Map<String, String> environment, Consumer<Integer> ended)
            throws IOException {
        if (closing) {
            return;
        }
        if (running.containsKey(name)) {
            throw new IllegalStateException("%s runs already".formatted(name));
        }
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(name).toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        running.put(name, process);
        tellReaper("+ " + process.pid());
        Files.writeString(
                folder.pids().resolve(group),
                process.pid() + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        Thread.ofVirtual().name("end of " + name).start(() -> {
            int exitCode = process.onExit().join().exitValue();
            if (forget(name, group, process)) {
                ended.accept(exitCode);
            }
        });
    }

    Path log(String name) {
        return folder.logs().resolve(name + ".log");
    }

    synchronized Optional<Process> find(String name) {
        return Optional.ofNullable(running.get(name));
    }

    /** Ends one child with SIGKILL and waits until it is gone; nobody is told. */
    void kill(String name) throws InterruptedException {
        Process process;
        synchronized (this) {
            process = running.remove(name);
        }
        if (process != null) {
            process.destroyForcibly();
            if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("%s (pid %d) survived SIGKILL".formatted(name, process.pid()));
            }
        }
    }

    /** Ends all, in reverse order of their start: SIGTERM, then SIGKILL for those that take too long. */
    @Override
    public void close() {
        List<Process> left;
        synchronized (this) {
            closing = true;
            left = new ArrayList<>(running.values());
            running.clear();
        }
        for (Process process : left.reversed()) {
            process.destroy();
        }
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (Process process : left) {
            try {
                if (!process.waitFor(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                    process.destroyForcibly().waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
            }
        }
        try {
            reaper.getOutputStream().close();
        } catch (IOException e) {
            // It has ended already; there is nothing left for it to do.
        }
    }

    private synchronized boolean forget(String name, String group, Process over) {
        tellReaper("- " + over.pid());
        try {
            Path list = folder.pids().resolve(group);
            List<String> left = Files.exists(list)
                    ? Files.readAllLines(list).stream()
                            .filter(pid -> !pid.equals(Long.toString(over.pid())))
                            .toList()
                    : List.of();
            if (left.isEmpty()) {
                Files.deleteIfExists(list);
            } else {
                Files.write(list, left);
            }
        } catch (IOException e) {
            if (!closing) {
                throw new UncheckedIOException(e);
            }
        }
        return running.remove(name, over) && !closing;
    }

    private void tellReaper(String line) {
        try {
            OutputStream in = reaper.getOutputStream();
            in.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            in.flush();
        } catch (IOException e) {
            if (!closing) {
                System.err.println("quickstart: the reaper is gone; after a kill -9 processes may stay");
            }
        }
    }
}
