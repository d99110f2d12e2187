package dev.tulle.conformance.bench;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Commands that are run to their end, and what they say. */
final class Shell {
    private static final int BOUND_SECONDS = 120;

    private Shell() {}

    /** Whether a command of this name is on the search path. */
    static boolean has(String command) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }

    /** Output and errors of a command that must succeed. */
    static String run(String... command) throws IOException {
        return run(List.of(command));
    }

    /** Output and errors of a command that must succeed. */
    static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .start();
        Thread end = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(end);
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(BOUND_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(String.join(" ", command) + " failed: " + said);
            }
            return said;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            process.destroyForcibly();
            unhook(end);
        }
    }

    /** Does nothing while the JVM ends, when hooks can no longer be taken back. */
    static void unhook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook runs, and what it ends has ended.
        }
    }

    /** The first group of the first place where a pattern fits. */
    static String first(String said, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(said);
        if (!matcher.find()) {
            throw new IllegalStateException("no '%s' in: %s".formatted(pattern, said));
        }
        return matcher.group(1);
    }

    /** The same as a number. */
    static double number(String said, String pattern) {
        return Double.parseDouble(first(said, pattern));
    }
}
