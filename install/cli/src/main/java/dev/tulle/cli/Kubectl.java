package dev.tulle.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Asks a cluster by running {@code kubectl}, with whatever access its user has. */
final class Kubectl {
    /** The command's name. */
    static final List<String> KUBECTL = List.of("kubectl");

    private static final int MAX_BYTES = 256 << 20;
    private static final long MAX_SECONDS = 120;

    private Kubectl() {}

    /**
     * What it prints.
     *
     * @param command the program, and what every call of it begins with
     * @throws IOException when it cannot be run, fails, prints too much or takes too long; the message is a sentence
     */
    static String run(List<String> command, String... arguments) throws IOException {
        return run(false, command, arguments);
    }

    /** The names of everything that can be listed; of API groups that do not answer just now nothing is known. */
    static List<String> listable(List<String> command) throws IOException {
        return run(true, command, "api-resources", "-o", "name", "--verbs=list")
                .lines()
                .toList();
    }

    private static String run(boolean takesPart, List<String> command, String... arguments) throws IOException {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(arguments));
        Path errors = Files.createTempFile("tulle", ".err");
        try {
            Process process;
            try {
                process = new ProcessBuilder(all)
                        .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                        .redirectError(errors.toFile())
                        .start();
            } catch (IOException e) {
                throw new IOException(
                        "%s cannot be run: install it, or pipe 'kubectl get … -o yaml' into '-'"
                                .formatted(command.getFirst()),
                        e);
            }
            try {
                byte[] bytes = process.getInputStream().readNBytes(MAX_BYTES + 1);
                boolean isOver = process.waitFor(MAX_SECONDS, TimeUnit.SECONDS);
                if (bytes.length > MAX_BYTES || !isOver) {
                    throw new IOException("%s printed more than %d bytes or took longer than %d s"
                            .formatted(String.join(" ", all), MAX_BYTES, MAX_SECONDS));
                }
                if (process.exitValue() != 0 && !(takesPart && bytes.length > 0)) {
                    throw new IOException("%s failed: %s"
                            .formatted(
                                    String.join(" ", all),
                                    Files.readString(errors)
                                            .strip()
                                            .lines()
                                            .findFirst()
                                            .orElse("no reason given")));
                }
                return new String(bytes, StandardCharsets.UTF_8);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } finally {
                process.destroyForcibly();
            }
        } finally {
            Files.deleteIfExists(errors);
        }
    }
}
