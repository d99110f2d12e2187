package dev.tulle.controller.api;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A headless Chromium, spoken to by the WebDriver protocol; the test is skipped where there is none. */
final class Browser {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final List<String> FLAGS = List.of(
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1500,1700");

    private final HttpClient client = HttpClient.newHttpClient();
    private final String driver;
    private String session = "";

    private Browser(int port) {
        this.driver = "http://127.0.0.1:" + port;
    }

    /** What is to be looked at. */
    interface Look {
        void at(Browser browser) throws Exception;
    }

    /** Opens a page, lets it be looked at, and leaves nothing behind. */
    static void open(URI page, Look look) throws Exception {
        Optional<Path> chromium = program("chromium", "chromium-browser", "google-chrome");
        Optional<Path> driver = program("chromedriver");
        assumeTrue(chromium.isPresent() && driver.isPresent(), "needs chromium and chromedriver on the path");
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path profile = Files.createTempDirectory("tulle-browser");
        Process process = new ProcessBuilder(driver.get().toString(), "--port=" + port)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Browser browser = new Browser(port);
        try {
            browser.begin(chromium.get(), profile);
            browser.post("/url", JSON.createObjectNode().put("url", page.toString()));
            look.at(browser);
        } finally {
            browser.end();
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            delete(profile);
        }
    }

    /** What a script gives, as text. */
    String text(String script) throws Exception {
        return value(script).asText();
    }

    /** Waits until a script gives true. */
    void until(String script) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> value(script).asBoolean());
    }

    /** What was written to the console: errors, among them whatever the content security policy refused. */
    List<String> console() throws Exception {
        List<String> messages = new ArrayList<>();
        post("/se/log", JSON.createObjectNode().put("type", "browser"))
                .forEach(entry -> messages.add(entry.path("message").asText()));
        return messages;
    }

    void screenshot(Path file) throws Exception {
        Files.write(
                file, Base64.getDecoder().decode(send("GET", "/screenshot", "").asText()));
    }

    private JsonNode value(String script) throws Exception {
        ObjectNode body = JSON.createObjectNode().put("script", script);
        body.putArray("args");
        return post("/execute/sync", body);
    }

    private void begin(Path chromium, Path profile) {
        ObjectNode options = JSON.createObjectNode().put("binary", chromium.toString());
        var flags = options.putArray("args");
        FLAGS.forEach(flags::add);
        flags.add("--user-data-dir=" + profile);
        ObjectNode capabilities = JSON.createObjectNode();
        ObjectNode always = capabilities.putObject("capabilities").putObject("alwaysMatch");
        always.set("goog:chromeOptions", options);
        always.putObject("goog:loggingPrefs").put("browser", "ALL");
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            session = "/session/"
                    + post("", capabilities, "/session").path("sessionId").asText();
            return session.length() > "/session/".length();
        });
    }

    private void end() {
        try {
            if (!session.isEmpty()) {
                send("DELETE", "", "");
            }
        } catch (IOException | InterruptedException e) {
            // The process is ended next.
        }
    }

    private JsonNode post(String path, JsonNode body) throws Exception {
        return post(path, body, session);
    }

    private JsonNode post(String path, JsonNode body, String of) throws IOException, InterruptedException {
        return send("POST", of + path, body.toString(), driver);
    }

    private JsonNode send(String method, String path, String body) throws IOException, InterruptedException {
        return send(method, session + path, body, driver);
    }

    private JsonNode send(String method, String path, String body, String to) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(to + path))
                .timeout(PATIENCE)
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body))
                .build();
        var response = client.send(request, BodyHandlers.ofString());
        JsonNode value = JSON.readTree(response.body()).path("value");
        if (response.statusCode() != 200) {
            throw new IOException("the browser answers " + value);
        }
        return value;
    }

    private static Optional<Path> program(String... names) {
        return Stream.of(names)
                .flatMap(name -> Stream.of(
                                System.getenv().getOrDefault("PATH", "").split(":", -1))
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                boolean unused = file.toFile().delete();
            });
        } catch (IOException e) {
            // It is under the temporary directory; the system clears it.
        }
    }
}
