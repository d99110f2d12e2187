package dev.tulle.quickstart.apps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The shop without a mesh: the applications call each other directly. */
class AppsTest {
    private final Seen stockSeen = new Seen();
    private final Seen ratingsSeen = new Seen();
    private final Seen reviewsSeen = new Seen();
    private final Seen catalogSeen = new Seen();
    private Stock stock;
    private Server ratings;
    private HttpServer reviews;
    private HttpServer catalog;
    private HttpServer web;

    @BeforeEach
    void openTheShop() throws IOException {
        stock = Stock.start(app("stock", "", Map.of()), stockSeen);
        ratings = Ratings.start(app("ratings", "", Map.of()), ratingsSeen);
        reviews = Reviews.start(app("reviews", "v2", Map.of("ratings", "127.0.0.1:" + ratings.getPort())), reviewsSeen);
        catalog = Catalog.start(
                app("catalog", "", Map.of("reviews", address(reviews), "stock", "127.0.0.1:" + stock.port())),
                catalogSeen);
        web = Web.start(app("web", "", Map.of("catalog", address(catalog))), new Seen());
    }

    @AfterEach
    void closeTheShop() throws IOException {
        web.stop(0);
        catalog.stop(0);
        reviews.stop(0);
        ratings.shutdownNow();
        stock.close();
    }

    @Test
    void aPageShowsWhatEveryApplicationKnows() throws Exception {
        HttpResponse<String> page = get(address(web), "/", Map.of());

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.body()).contains("Tulle, white", "42 metres in stock", "&#9733;".repeat(5));
    }

    @Test
    void theUsersHeadersReachTheLastApplicationAndAreCounted() throws Exception {
        get(address(web), "/", Map.of("user-agent", "iPhone", "x-tour", "here", "x-other", "not passed on"));

        Seen.Snapshot reviewed = reviewsSeen.snapshot(app("reviews", "v2", Map.of()));
        assertThat(reviewed.byTag()).containsEntry("here", 1L);
        assertThat(reviewed.recent().getLast().headers())
                .containsEntry("user-agent", "iPhone")
                .doesNotContainKey("x-other");
        assertThat(ratingsSeen.snapshot(app("ratings", "", Map.of())).byTag()).containsEntry("here", 1L);
        assertThat(stockSeen.snapshot(app("stock", "", Map.of())).recent())
                .containsExactly(new Seen.Call("GET", "tulle", Map.of()));
    }

    @Test
    void versionOneHasNoStarsAndAsksNobody() throws Exception {
        HttpServer old = Reviews.start(app("reviews", "v1", Map.of()), new Seen());

        JsonNode review = new ObjectMapper()
                .readTree(get(address(old), "/reviews/tulle", Map.of()).body());
        old.stop(0);

        assertThat(review.path("version").asText()).isEqualTo("v1");
        assertThat(review.has("stars")).isFalse();
    }

    @Test
    void whatIsMissingBehindThePageIsSaidOnIt() throws Exception {
        reviews.stop(0);

        HttpResponse<String> page = get(address(web), "/", Map.of());

        assertThat(page.statusCode()).isEqualTo(502);
        assertThat(page.body()).startsWith("catalog answered 502");
    }

    @Test
    void theStoreKeepsValuesAndTellsNonsenseApart() throws Exception {
        StockClient.Connection connection = new StockClient.Connection("127.0.0.1", stock.port());

        assertThat(connection.ask("GET lace")).isEqualTo("-");
        assertThat(connection.ask("SET lace 7 metres")).isEqualTo("OK");
        assertThat(connection.ask("GET lace")).isEqualTo("7 metres");
        assertThat(connection.ask("DANCE")).isEqualTo("WHAT");
        connection.close();
    }

    @Test
    void theThiefTellsWhatBecameOfHisAttempts() throws Exception {
        int nobody;
        try (ServerSocket socket = new ServerSocket(0)) {
            nobody = socket.getLocalPort();
        }
        HttpServer thief = Thief.start(
                app(
                        "thief",
                        "",
                        Map.of(
                                "catalog", address(catalog),
                                "ratings", "127.0.0.1:" + ratings.getPort(),
                                "stock", "127.0.0.1:" + nobody)),
                new Seen());

        assertThat(outcome(thief, "catalog")).isEqualTo("allowed");
        assertThat(outcome(thief, "ratings")).isEqualTo("allowed");
        assertThat(outcome(thief, "stock")).isEqualTo("denied");
        thief.stop(0);
    }

    @Test
    void theLoadCountsAnswersAndFailuresAndPauses() throws Exception {
        HttpServer load = Load.start(app("load", "", Map.of("web", address(web))), new Seen());
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> stats(load).path("answered").asLong() >= 10);
        assertThat(stats(load).path("failed").asLong()).isZero();

        web.stop(0);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> stats(load).path("failed").asLong() > 0);
        assertThat(stats(load).path("failures").size()).isPositive();

        assertThat(get(address(load), "/rate?0", Map.of()).statusCode()).isEqualTo(200);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> stats(load).path("inFlight").asLong() == 0);
        assertThat(get(address(load), "/rate?many", Map.of()).statusCode()).isEqualTo(400);
        load.stop(0);
    }

    @Test
    void whatWasSeenStaysBounded() {
        Seen seen = new Seen();
        for (int i = 0; i < 2 * Seen.TAGS; i++) {
            seen.add(new Seen.Call("GET", "/" + i, Map.of(Seen.TAG_HEADER, "tag" + i)));
        }

        Seen.Snapshot snapshot = seen.snapshot(app("web", "", Map.of()));
        assertThat(snapshot.total()).isEqualTo(2L * Seen.TAGS);
        assertThat(snapshot.byTag()).hasSize(Seen.TAGS);
        assertThat(snapshot.recent()).hasSize(Seen.RECENT);
        assertThat(snapshot.recent().getLast().path()).isEqualTo("/" + (2 * Seen.TAGS - 1));
    }

    @Test
    void argumentsThatMakeNoSenseAreQuoted() {
        assertThat(AppArguments.parse(List.of("web", "--instance", "web-1", "--call", "catalog=127.0.0.1:1"))
                        .call("catalog"))
                .isEqualTo("127.0.0.1:1");
        assertThatThrownBy(() -> AppArguments.parse(List.of("web", "--frob", "1")))
                .hasMessageContaining("'--frob'");
        assertThatThrownBy(() -> AppArguments.parse(List.of("web", "--port"))).hasMessageContaining("'--port'");
        assertThatThrownBy(() -> AppArguments.parse(List.of("web")).call("catalog"))
                .hasMessage("web needs --call catalog=HOST:PORT");
    }

    private static AppArguments app(String name, String version, Map<String, String> calls) {
        return new AppArguments(name, name + "-1", version, false, 0, 0, calls);
    }

    private static String address(HttpServer server) {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    private static JsonNode stats(HttpServer load) throws Exception {
        return new ObjectMapper()
                .readTree(get(address(load), "/stats", Map.of()).body());
    }

    private static String outcome(HttpServer thief, String what) throws Exception {
        return new ObjectMapper()
                .readTree(get(address(thief), "/try/" + what, Map.of()).body())
                .path("outcome")
                .asText();
    }

    private static HttpResponse<String> get(String address, String path, Map<String, String> headers) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://" + address + path)).timeout(Duration.ofSeconds(10));
        headers.forEach(request::header);
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
