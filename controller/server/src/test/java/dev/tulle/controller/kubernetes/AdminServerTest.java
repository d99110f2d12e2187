package dev.tulle.controller.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.HostPort;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class AdminServerTest {
    private static final Vertx VERTX = Vertx.vertx();

    @AfterAll
    static void close() {
        VERTX.close();
    }

    @Test
    void saysWhyItIsNotReadyAndServesNothingElse() throws IOException, InterruptedException {
        AtomicReference<Optional<String>> unready = new AtomicReference<>(Optional.of("Still reading."));
        try (AdminServer admin =
                        AdminServer.start(VERTX, new HostPort("127.0.0.1", 0), unready::get, () -> "tulle_up 1\n");
                HttpClient http = HttpClient.newHttpClient()) {
            assertThat(get(http, admin, "/livez").statusCode()).isEqualTo(200);
            HttpResponse<String> notReady = get(http, admin, "/readyz");
            assertThat(notReady.statusCode()).isEqualTo(503);
            assertThat(notReady.body()).isEqualTo("Still reading.\n");
            unready.set(Optional.empty());
            assertThat(get(http, admin, "/readyz").statusCode()).isEqualTo(200);
            assertThat(get(http, admin, "/metrics").body()).isEqualTo("tulle_up 1\n");
            assertThat(get(http, admin, "/api/v1/mesh").statusCode()).isEqualTo(404);
            HttpRequest post = request(admin, "/livez")
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            assertThat(http.send(post, HttpResponse.BodyHandlers.ofString()).statusCode())
                    .isEqualTo(405);
        }
    }

    private static HttpResponse<String> get(HttpClient http, AdminServer admin, String path)
            throws IOException, InterruptedException {
        return http.send(request(admin, path).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(AdminServer admin, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin.port() + path));
    }
}
