package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair.Sidecar;
import dev.tulle.conformance.mesh.StandaloneMesh;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From an annotation in a file to what the calling application sees and the controller shows, while everything runs. */
@Timeout(180)
class AnnotationsTest {
    private static final Duration BOUND = Duration.ofSeconds(60);
    private static final Semaphore LEFT_TO_ANSWER = new Semaphore(0);
    private static final int LISTEN = Program.freePort();
    private static final int LOCAL = Program.freePort();
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static StandaloneMesh mesh;
    private static Sidecar web;

    @BeforeAll
    static void start() {
        StandaloneMesh.requireBuilt();
        origin = new RecordingOrigin(request -> {
            if (request.target().equals("/slow")) {
                LEFT_TO_ANSWER.acquireUninterruptibly();
            }
            return RecordingOrigin.ok(request.target());
        });
        mesh = StandaloneMesh.start(folder, yaml("{}"));
        mesh.join("shop/catalog-1");
        web = mesh.join("shop/web-1");
    }

    @AfterAll
    static void stop() {
        LEFT_TO_ANSWER.release(1000);
        if (mesh != null) {
            mesh.close();
            origin.close();
        }
    }

    @Test
    void countWhileEverythingRunsAndAreShown() throws Exception {
        assertThat(get("/quick").statusCode()).isEqualTo(200);

        // A timeout, and beside it a value that is wrong.
        mesh.write("shop.yaml", yaml("{tulle.dev/timeout: 500ms, tulle.dev/retries: many}"));
        await().atMost(BOUND).until(() -> web.admin("/config").contains("totalMillis"));
        assertThat(get("/slow").statusCode()).isEqualTo(504);
        assertThat(get("/quick").statusCode()).isEqualTo(200);
        JsonNode shown = mesh.awaitApi(
                "/api/v1/mesh",
                "the policy and what it did",
                state -> texts(catalog(state).path("acts"), "what").anyMatch("timeout"::equals));
        assertThat(catalog(shown).path("policies").path(0).asText()).isEqualTo("timeout 500ms");
        assertThat(texts(shown.path("problems"), "message"))
                .anyMatch(message -> message.contains("'many' is not a whole number from 0 to 10"));

        // A fault that is asked for, then taken away again.
        mesh.write("shop.yaml", yaml("{tulle.dev/fault: abort 418 100% until 2100-01-01T00:00:00Z}"));
        await().atMost(BOUND).until(() -> get("/quick").statusCode() == 418);
        mesh.write("shop.yaml", yaml("{}"));
        await().atMost(BOUND).until(() -> get("/quick").statusCode() == 200);

        // A rate that the receiving proxy holds.
        mesh.write("shop.yaml", yaml("{tulle.dev/rate-limit: 1/h}"));
        await().atMost(BOUND).until(() -> get("/quick").statusCode() == 429);
        mesh.awaitApi(
                "/api/v1/mesh",
                "the limit and what it did",
                state -> texts(catalog(state).path("acts"), "what").anyMatch("rate-limit"::equals));
    }

    private static String yaml(String annotations) {
        return StandaloneMesh.server("catalog", LISTEN, origin.port())
                        .replace(
                                "namespace: shop}\nspec: {selector",
                                "namespace: shop, annotations: " + annotations + "}\nspec: {selector")
                + StandaloneMesh.caller("web", "catalog", LOCAL);
    }

    private static JsonNode catalog(JsonNode state) {
        return StreamSupport.stream(state.path("services").spliterator(), false)
                .filter(service -> service.path("name").asText().equals("shop/catalog"))
                .findFirst()
                .orElseThrow();
    }

    private static Stream<String> texts(JsonNode list, String field) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(node -> node.path(field).asText());
    }

    private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return CLIENT.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(LOCAL, path)))
                        .timeout(BOUND)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
