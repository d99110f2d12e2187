package dev.tulle.controller.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The HTTP port as a whole: one start of Quarkus for the API, the page, health and meters. */
@QuarkusTest
@Timeout(60)
class HttpTest {
    @TempDir
    static Path directory;

    private static Views views;

    private final HttpClient client = HttpClient.newHttpClient();

    @TestHTTPResource("/")
    @SuppressWarnings("NullAway.Init") // Injected.
    URI root;

    @Inject
    @SuppressWarnings("NullAway.Init") // Injected.
    Current current;

    @BeforeAll
    static void make() throws Exception {
        // A clock that stands still: what was reported never ages, however slow the machine.
        views = Demo.views(directory, Clock.fixed(Clock.systemUTC().instant(), ZoneOffset.UTC));
    }

    @BeforeEach
    void show() {
        current.set(views);
    }

    @Test
    void answersInTheShapesOfTheReadme() throws Exception {
        assertFields("/api/v1/mesh", "trustDomain", "generation", "services", "workloads", "splits", "problems");
        assertFields("/api/v1/edges", "window", "edges");
        assertFields("/api/v1/stat?window=600", "window", "services", "workloads");
        assertFields("/api/v1/denied", "denied");
        assertFields("/api/v1/proxies", "proxies");
        assertFields("/api/v1/problems", "problems");
        assertFields("/api/v1/ca", "trustDomain", "anchors", "issuer", "rotation");
        assertFields(
                "/api/v1/why?from=shop/thief-1&to=shop/reviews&method=GET&path=/&header=a:b&port=9080",
                "outcome",
                "summary",
                "caller",
                "called",
                "route",
                "routeReason",
                "backends");
        String readme = Files.readString(Path.of("README.md"));
        for (String shape : List.of("services", "workloads", "splits")) {
            JsonNode first = json("/api/v1/mesh").path(shape).get(0);
            first.fieldNames().forEachRemaining(field -> assertThat(readme).contains("\"" + field + "\""));
        }
        json("/api/v1/edges")
                .path("edges")
                .get(0)
                .fieldNames()
                .forEachRemaining(field -> assertThat(readme).contains("\"" + field));
    }

    @Test
    void refusesQuestionsItCannotRead() throws Exception {
        for (String path : List.of(
                "/api/v1/edges?window=5",
                "/api/v1/edges?window=601",
                "/api/v1/edges?window=x",
                "/api/v1/why",
                "/api/v1/why?from=a",
                "/api/v1/why?from=a&to=b&port=99999",
                "/api/v1/why?from=a&to=b&header=x",
                "/api/v1/why?from=a&to=b&path=" + "x".repeat(5000))) {
            HttpResponse<String> response = get(path);
            assertThat(response.statusCode()).as(path).isEqualTo(400);
            assertThat(response.body()).as(path).startsWith("{\"error\":\"");
        }
        assertThat(get("/api/v1/nothing").statusCode()).isEqualTo(404);
    }

    @Test
    void sendsTheStateToThePage() throws Exception {
        HttpResponse<java.io.InputStream> response = client.send(
                HttpRequest.newBuilder(root.resolve("/api/v1/events")).build(), BodyHandlers.ofInputStream());
        assertThat(response.headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
        try (var lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("event:state");
            String data = Objects.requireNonNull(lines.readLine());
            JsonNode state = new ObjectMapper().readTree(data.substring("data:".length()));
            assertThat(names(state)).containsExactly("mesh", "edges", "denied", "proxies", "ca");
        }
    }

    @Test
    void servesThePageFromHereAlone() throws Exception {
        HttpResponse<String> page = get("/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("content-security-policy"))
                .hasValueSatisfying(policy -> assertThat(policy)
                        .contains("default-src 'none'", "script-src 'self'")
                        .doesNotContain("unsafe"));
        assertThat(page.headers().firstValue("x-content-type-options")).contains("nosniff");
        assertThat(page.body())
                .as("no inline script, style or handler: the policy would refuse them")
                .doesNotContainPattern("<script(?![^>]*src=)")
                .doesNotContain("<style", " style=", " onclick=", " onload=");
        var links = Pattern.compile("(?:src|href)=\"([^\"]+)\"").matcher(page.body());
        int found = 0;
        while (links.find()) {
            assertThat(links.group(1)).startsWith("/");
            HttpResponse<String> part = get(links.group(1));
            assertThat(part.statusCode()).as(links.group(1)).isEqualTo(200);
            if (links.group(1).endsWith(".js")) {
                assertThat(part.headers().firstValue("content-type"))
                        .hasValueSatisfying(type -> assertThat(type).contains("javascript"));
            }
            found++;
        }
        assertThat(found).isGreaterThan(5);
        for (String module : List.of("/map.js", "/graph.js", "/words.js")) {
            assertThat(get(module).statusCode()).as(module).isEqualTo(200);
        }
    }

    @Test
    void isBlindToNamesThatSomebodyElseMayPointHere() throws Exception {
        assertThat(status("Host: evil.example")).isEqualTo(421);
        assertThat(status("Host: evil.example:" + root.getPort())).isEqualTo(421);
        assertThat(status("Host: localhost:" + root.getPort())).isEqualTo(200);
        assertThat(status("Host: 127.0.0.1")).isEqualTo(200);
    }

    @Test
    void tellsItsHealth() throws Exception {
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        assertThat(get("/readyz").statusCode()).isEqualTo(200);
        assertThat(get("/q/health").statusCode()).isEqualTo(200);
    }

    @Test
    void tellsItsMeters() throws Exception {
        HttpResponse<String> metrics = get("/metrics");
        assertThat(metrics.body())
                .contains(
                        "tulle_controller_proxies_connected 0.0",
                        "tulle_controller_workloads 5.0",
                        "tulle_controller_nacks_total 0.0",
                        "tulle_controller_rebuild_seconds 0.01",
                        "tulle_identity_certificate_expiry_timestamp_seconds{certificate=\"root\"}");
    }

    @Test
    void looksRightInABrowser() throws Exception {
        Browser.open(root, browser -> {
            browser.until("return document.body.dataset.generation === '4'");
            assertThat(browser.text("return document.getElementById('link').dataset.state"))
                    .isEqualTo("live");
            assertThat(browser.text("return String(document.querySelectorAll('#edges tbody tr').length)"))
                    .isEqualTo("7");
            assertThat(browser.text("return document.querySelector(\"#edges tr[data-from='shop/web']\").dataset.mtls"))
                    .isEqualTo("true");
            assertThat(browser.text("return document.querySelector(\"#edges tr[data-from='']\").dataset.mtls"))
                    .isEqualTo("false");
            assertThat(browser.text("return document.querySelector('#denied li').dataset.from"))
                    .isEqualTo(Demo.THIEF);
            assertThat(browser.text("return document.querySelector('#denied pre').textContent"))
                    .contains("kind: TrafficTarget");
            assertThat(browser.text("return document.querySelector("
                            + "\"#splits tr[data-backend='shop/reviews-v1']\").dataset.weight"))
                    .isEqualTo("90");
            assertThat(Double.parseDouble(browser.text("return document.querySelector("
                            + "\"#splits tr[data-backend='shop/reviews-v1']\").dataset.share")))
                    .isCloseTo(0.9, within(0.01));
            assertThat(browser.text("return document.querySelector("
                            + "\"#policies tr[data-service='shop/catalog']\").textContent"))
                    .contains("timeout 2s", "eject-after 5", "ejection 2 (1 now)", "timeout 3");
            browser.until("return document.querySelectorAll('#map canvas').length > 0"
                    + " && document.querySelectorAll('.badges img').length > 0");
            assertThat(browser.console()).as("console").isEmpty();
            browser.screenshot(Path.of("target", "page.png"));
        });
    }

    private void assertFields(String path, String... fields) throws Exception {
        assertThat(names(json(path))).as(path).containsExactly(fields);
    }

    private static List<String> names(JsonNode node) {
        Stream.Builder<String> names = Stream.builder();
        node.fieldNames().forEachRemaining(names);
        return names.build().toList();
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("application/json"));
        return new ObjectMapper().readTree(response.body());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(root.resolve(path))
                        .timeout(Duration.ofSeconds(20))
                        .build(),
                BodyHandlers.ofString());
    }

    /** By hand: the JDK's client does not let a host be made up. */
    private int status(String host) throws IOException {
        try (Socket socket = new Socket(root.getHost(), root.getPort())) {
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            out.write("GET /api/v1/ca HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n"
                    .formatted(host)
                    .getBytes(StandardCharsets.US_ASCII));
            var answer = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            return Integer.parseInt(Objects.requireNonNull(answer.readLine()).split(" ", -1)[1]);
        }
    }
}
