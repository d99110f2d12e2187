package dev.tulle.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesTest {
    private static final List<String> SLEEP = List.of("/bin/sh", "-c", "exec sleep 120");

    @TempDir
    private Path temporary;

    @Test
    void closingEndsEveryChild() throws Exception {
        try (WorkFolder folder = WorkFolder.take(temporary, false)) {
            Processes processes = new Processes(folder);
            processes.start("a", "a", SLEEP, Map.of(), exitCode -> {});
            processes.start(
                    "stubborn",
                    "a",
                    List.of("/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"),
                    Map.of(),
                    exitCode -> {});
            List<String> pids = Files.readAllLines(folder.pids().resolve("a"));
            assertThat(pids).hasSize(2);

            processes.close();

            assertThat(pids).allSatisfy(pid -> assertThat(isAlive(pid)).isFalse());
        }
    }

    @Test
    void aChildThatEndsByItselfIsTold() throws Exception {
        try (WorkFolder folder = WorkFolder.take(temporary, false);
                Processes processes = new Processes(folder)) {
            BlockingQueue<Integer> ended = new LinkedBlockingQueue<>();
            processes.start("short", "short", List.of("/bin/sh", "-c", "echo hello; exit 7"), Map.of(), ended::add);

            assertThat(ended.poll(20, TimeUnit.SECONDS)).isEqualTo(7);
            assertThat(processes.log("short")).hasContent("hello");
            assertThat(processes.find("short")).isEmpty();
            assertThat(folder.pids().resolve("short")).doesNotExist();
        }
    }

    @Test
    void aKilledChildIsNotTold() throws Exception {
        try (WorkFolder folder = WorkFolder.take(temporary, false);
                Processes processes = new Processes(folder)) {
            BlockingQueue<Integer> ended = new LinkedBlockingQueue<>();
            processes.start("a", "a", SLEEP, Map.of(), ended::add);
            Process child = processes.find("a").orElseThrow();

            processes.kill("a");

            assertThat(child.isAlive()).isFalse();
            assertThat(ended.poll(200, TimeUnit.MILLISECONDS)).isNull();
        }
    }

    @Test
    void whenTheSupervisorIsKilledItsChildrenEndToo() throws Exception {
        Process supervisor = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Supervisor.class.getName(),
                        temporary.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String pid = supervisor.inputReader().readLine();
        assertThat(isAlive(pid)).isTrue();

        supervisor.destroyForcibly();

        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !isAlive(pid));
    }

    private static boolean isAlive(String pid) {
        return ProcessHandle.of(Long.parseLong(pid))
                .filter(ProcessHandle::isAlive)
                .isPresent();
    }

    /** Starts one child, prints its number and waits to be killed. */
    static final class Supervisor {
        private Supervisor() {}

        public static void main(String[] arguments) throws Exception {
            WorkFolder folder = WorkFolder.take(Path.of(arguments[0]), false);
            Processes processes = new Processes(folder);
            processes.start("a", "a", SLEEP, Map.of(), exitCode -> {});
            System.out.println(Files.readString(folder.pids().resolve("a")).strip());
            Thread.sleep(Duration.ofMinutes(2));
        }
    }
}
