package dev.tulle.conformance.flagger;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The cluster of {@code KUBECONFIG}, asked through one {@code kubectl proxy}. Safe for use by many threads. */
final class Cluster implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final Duration COMMAND = Duration.ofSeconds(60);

    private final Process proxy;
    private final String base;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(ANSWER)
            .build();

    private Cluster(Process proxy, String base) {
        this.proxy = proxy;
        this.base = base;
    }

    static Cluster open() {
        try {
            Process proxy = new ProcessBuilder("kubectl", "proxy", "--port=0")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            // "Starting to serve on 127.0.0.1:43211"
            String said = new BufferedReader(new InputStreamReader(proxy.getInputStream(), UTF_8)).readLine();
            if (said == null) {
                throw new IllegalStateException("kubectl proxy did not start: is KUBECONFIG set?");
            }
            return new Cluster(proxy, "http://" + said.substring(said.lastIndexOf(' ') + 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the API server answers to a GET. */
    JsonNode get(String path) {
        return find(path).orElseThrow(() -> new AssertionError("there is no " + path));
    }

    /** The same; empty when it answers 404. */
    Optional<JsonNode> find(String path) {
        HttpResponse<String> answer = send(request(path).timeout(ANSWER).build());
        return answer.statusCode() == 404 ? Optional.empty() : Optional.of(json(well(answer, path)));
    }

    /** The text behind a path. */
    String text(String path) {
        return well(send(request(path).timeout(ANSWER).build()), path);
    }

    void post(String path, String body) {
        well(
                send(request(path)
                        .timeout(ANSWER)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build()),
                path);
    }

    /** Deletes what is there and waits for nothing. */
    void delete(String path) {
        send(request(path).timeout(ANSWER).DELETE().build());
    }

    /** Tells each event of a watch, in order, on a thread of its own, until the watch or the cluster is closed. */
    AutoCloseable watch(String path, Consumer<JsonNode> events) {
        HttpResponse<InputStream> answer;
        try {
            answer = client.send(request(path).build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        if (answer.statusCode() != 200) {
            throw new AssertionError("%s: %d".formatted(path, answer.statusCode()));
        }
        Thread.ofVirtual().name("watch " + path).start(() -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    events.accept(json(line));
                }
            } catch (IOException e) {
                // Closed.
            }
        });
        return () -> answer.body().close();
    }

    /** Applies YAML, as its user: fields that others have meanwhile changed are taken back. */
    void apply(String yaml) {
        try {
            Process apply = new ProcessBuilder(
                            "kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager=user", "-f", "-")
                    .redirectErrorStream(true)
                    .start();
            try (var in = apply.getOutputStream()) {
                in.write(yaml.getBytes(UTF_8));
            }
            String said = new String(apply.getInputStream().readAllBytes(), UTF_8);
            if (!apply.waitFor(COMMAND.toMillis(), TimeUnit.MILLISECONDS) || apply.exitValue() != 0) {
                apply.destroyForcibly();
                throw new AssertionError("kubectl apply: %s%n%s".formatted(said, yaml));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
        proxy.destroy();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).header("Content-Type", "application/json");
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(request.uri().toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static String well(HttpResponse<String> answer, String path) {
        if (answer.statusCode() >= 300) {
            throw new AssertionError("%s: %d %s".formatted(path, answer.statusCode(), answer.body()));
        }
        return answer.body();
    }

    static JsonNode json(@Nullable String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }
}
