package dev.tulle.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * Asks a cluster by running {@code kubectl}, with whatever access its user has.
 *
 * @param command the program, and what every call of it begins with
 * @param limit how long one call may take
 */
record Kubectl(List<String> command, Duration limit) {
    /** The one on the path. An API server that takes a connection and says nothing is given up on sooner than the whole call. */
    static final Kubectl ON_PATH = new Kubectl(List.of("kubectl", "--request-timeout=30s"), Duration.ofMinutes(2));

    private static final int MAX_BYTES = 256 << 20;
    private static final int MAX_SAID_BYTES = 16 << 10;
    private static final int MAX_LINES = 3;
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);

    /** How lines of its log begin, which say in other words what it says in the end. */
    private static final Pattern LOG_LINE = Pattern.compile("[IWEF]\\d{4} \\d\\d:\\d\\d:\\d\\d.*");

    /**
     * What it prints.
     *
     * @throws IOException when it cannot be run, fails, prints too much or takes too long; the message is a sentence
     */
    String run(String... arguments) throws IOException {
        return run(false, arguments);
    }

    /** The names of everything that can be listed; of API groups that do not answer just now nothing is known. */
    List<String> listable() throws IOException {
        return run(true, "api-resources", "-o", "name", "--verbs=list").lines().toList();
    }

    private String run(boolean takesPart, String... arguments) throws IOException {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(arguments));
        String name = "'%s %s'".formatted(command.getFirst(), arguments[0]);
        Process process;
        try {
            process = new ProcessBuilder(all)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                    .start();
        } catch (IOException e) {
            throw new IOException(
                    "%s cannot be run: install it, or pipe 'kubectl get … -o yaml' into '-'"
                            .formatted(command.getFirst()),
                    e);
        }
        try {
            CompletableFuture<byte[]> printed = read(process.getInputStream(), MAX_BYTES + 1);
            CompletableFuture<byte[]> said = read(process.getErrorStream(), MAX_SAID_BYTES);
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("%s has not ended after %d s: does the API server of its context answer?"
                        .formatted(name, limit.toSeconds()));
            }
            byte[] bytes = printed.get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
            if (bytes.length > MAX_BYTES) {
                throw new IOException("%s printed more than %d bytes".formatted(name, MAX_BYTES));
            }
            if (process.exitValue() != 0 && !(takesPart && bytes.length > 0)) {
                String why = sentence(new String(said.get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS), UTF_8));
                throw new IOException("%s failed: %s%s".formatted(name, why, cure(why)));
            }
            return new String(bytes, UTF_8);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("what %s printed cannot be read".formatted(name), e);
        } finally {
            process.destroyForcibly();
        }
    }

    private static String cure(String why) {
        if (why.contains("(Forbidden)")) {
            return ": ask for the right to list them in all namespaces, or pipe 'kubectl get … -n NAMESPACE -o yaml' of what you may see into '-'";
        }
        // Where kubectl asks when no file tells it of a cluster.
        return why.contains("server localhost:8080") ? ": KUBECONFIG names no file that is there" : "";
    }

    /** Reads to the end, so that the process never waits for us, and keeps the beginning. */
    private static CompletableFuture<byte[]> read(InputStream stream, int most) {
        CompletableFuture<byte[]> bytes = new CompletableFuture<>();
        Thread.ofVirtual().name("tulle-kubectl").start(() -> {
            try (stream) {
                byte[] kept = stream.readNBytes(most);
                stream.transferTo(OutputStream.nullOutputStream());
                bytes.complete(kept);
            } catch (IOException e) {
                bytes.completeExceptionally(e);
            }
        });
        return bytes;
    }

    /** What it said when it failed, in one line: the first few things, without its log. */
    static String sentence(String said) {
        List<String> lines = said.strip()
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .distinct()
                .toList();
        List<String> last =
                lines.stream().filter(line -> !LOG_LINE.matcher(line).matches()).toList();
        List<String> told = last.isEmpty() ? lines : last;
        if (told.isEmpty()) {
            return "it gave no reason";
        }
        String more = told.size() > MAX_LINES ? "; and %d more like it".formatted(told.size() - MAX_LINES) : "";
        return String.join("; ", told.subList(0, Math.min(MAX_LINES, told.size()))) + more;
    }
}
