package dev.tulle.conformance;

import static dev.tulle.conformance.mesh.RecordingOrigin.bytes;
import static dev.tulle.conformance.mesh.RecordingOrigin.ok;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.ResilientMesh;
import dev.tulle.conformance.mesh.ResilientMesh.Application;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Resilience.Capacity;
import dev.tulle.proxy.model.Resilience.Ejection;
import dev.tulle.proxy.model.Resilience.Fault;
import dev.tulle.proxy.model.Resilience.Timeouts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ejection, limits of number and rate, faults and zones as the calling application sees them, through two sidecars. */
@Timeout(60)
class LimitsAndFaultsTest {
    private static final Duration BOUND = Duration.ofSeconds(30);
    private static final long ALWAYS =
            System.currentTimeMillis() + Duration.ofDays(1).toMillis();
    private static final int ALL = 1_000_000;

    private static final byte[] BROKEN = bytes("HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n");
    private static final Semaphore LEFT_TO_ANSWER = new Semaphore(0);
    private static volatile boolean ill = true;

    private static final RecordingOrigin WELL = new RecordingOrigin();
    private static final RecordingOrigin ILL = new RecordingOrigin(request -> ill ? BROKEN : ok("well again"));
    private static final RecordingOrigin DEAD = new RecordingOrigin(request -> BROKEN);

    /** Answers only as often as it is let. */
    private static final RecordingOrigin HELD = new RecordingOrigin(request -> {
        LEFT_TO_ANSWER.acquireUninterruptibly();
        return ok("done");
    });

    private static final RecordingOrigin NEAR = new RecordingOrigin(request -> ok("near"));
    private static final RecordingOrigin FAR = new RecordingOrigin(request -> ok("far"));

    private static final ResilientMesh MESH = new ResilientMesh();
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    static Path folder;

    @BeforeAll
    static void start() {
        Application well = Application.at(WELL.port());
        MESH.service("ejecting", Protocol.HTTP, ejection(1, 300_000), well, Application.at(DEAD.port()))
                .service("unreachable", Protocol.HTTP, ejection(1, 300_000), well, Application.gone())
                .service("lone", Protocol.HTTP, ejection(1, 300_000), Application.at(DEAD.port()))
                .service("returning", Protocol.HTTP, ejection(1, 200), well, Application.at(ILL.port()))
                .service("few", Protocol.HTTP, capacity(new Capacity(0, 0, 2)), Application.at(HELD.port()))
                .service("queue", Protocol.HTTP, capacity(new Capacity(1, 1, 0)), Application.at(HELD.port()))
                .service("tcp-few", Protocol.TCP, capacity(new Capacity(1, 0, 0)), well)
                .service("limited", Protocol.HTTP, Resilience.NONE, Optional.of(new RateLimit(3, 3_600_000, 3)), well)
                .service(
                        "tcp-limited", Protocol.TCP, Resilience.NONE, Optional.of(new RateLimit(2, 3_600_000, 2)), well)
                .service("aborting", Protocol.HTTP, faults(new Fault.Abort(503, ALL / 2, ALWAYS)), well)
                .service("delaying", Protocol.HTTP, faults(new Fault.Delay(300, ALL, ALWAYS)), well)
                .service("over", Protocol.HTTP, faults(new Fault.Abort(503, ALL, 1)), well)
                .service(
                        "ending",
                        Protocol.HTTP,
                        faults(new Fault.Abort(503, ALL, System.currentTimeMillis() + 8_000)),
                        well)
                .service(
                        "zoned",
                        Protocol.HTTP,
                        new Resilience(
                                Timeouts.NONE, Optional.empty(), Optional.empty(), Capacity.UNLIMITED, List.of(), true),
                        Application.at(NEAR.port()).in(ResilientMesh.ZONE),
                        Application.at(FAR.port()).in("far"))
                .service(
                        "spilling",
                        Protocol.HTTP,
                        new Resilience(
                                Timeouts.NONE,
                                Optional.empty(),
                                Optional.of(new Ejection(1, 300_000)),
                                Capacity.UNLIMITED,
                                List.of(),
                                true),
                        Application.at(DEAD.port()).in(ResilientMesh.ZONE),
                        Application.at(FAR.port()).in("far"))
                .start(folder);
    }

    @AfterAll
    static void stop() {
        LEFT_TO_ANSWER.release(1000);
        MESH.close();
        List.of(WELL, ILL, DEAD, HELD, NEAR, FAR).forEach(RecordingOrigin::close);
    }

    @Test
    void leavesAnEndpointOutThatFails() throws Exception {
        await().atMost(BOUND).until(() -> get("ejecting", "/eject").statusCode() == 500);

        int before = DEAD.received("/out").size();
        for (int i = 0; i < 50; i++) {
            assertThat(get("ejecting", "/out").statusCode()).isEqualTo(200);
        }
        assertThat(DEAD.received("/out")).hasSize(before);
        assertThat(counted("tulle_ejections_total{service=\"shop/ejecting\"}")).isEqualTo(1);
        assertThat(counted("tulle_ejected_endpoints{service=\"shop/ejecting\"}"))
                .isEqualTo(1);
        JsonNode live = live("shop/ejecting");
        assertThat(live.path("ejected")).hasSize(1);
        assertThat(live.path("ejected").path(0).path("millisLeft").asLong()).isPositive();
    }

    @Test
    void leavesAnEndpointOutThatCannotBeReachedAndHidesIt() throws Exception {
        for (int i = 0; i < 30; i++) {
            assertThat(get("unreachable", "/gone").statusCode()).isEqualTo(200);
        }
        assertThat(counted("tulle_ejections_total{service=\"shop/unreachable\"}"))
                .isLessThanOrEqualTo(1);
    }

    @Test
    void neverLeavesOutTheOnlyEndpoint() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(get("lone", "/lone").statusCode()).isEqualTo(500);
        }
        assertThat(counted("tulle_ejections_total{service=\"shop/lone\"}")).isZero();
    }

    @Test
    void letsOneRequestTryAnEndpointThatWasOut() throws Exception {
        await().atMost(BOUND).until(() -> get("returning", "/ill").statusCode() == 500);
        await().atMost(BOUND).until(() -> get("returning", "/probe").statusCode() == 500);
        ill = false;

        await().atMost(BOUND).until(() -> get("returning", "/well").body().equals("well again"));
        await().atMost(BOUND).until(() -> counted("tulle_ejected_endpoints{service=\"shop/returning\"}") == 0);
    }

    @Test
    void refusesAtOnceWhatIsBeyondTheCallsAllowedAtOnce() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> held = List.of(later("few", "/held"), later("few", "/held"));
        await().atMost(BOUND).until(() -> HELD.received("/held").size() == 2);

        HttpResponse<String> refused = get("few", "/third");

        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(reason(refused)).isEqualTo("max-requests");
        assertThat(live("shop/few").path("requests").path("now").asInt()).isEqualTo(2);
        assertThat(live("shop/few").path("requests").path("most").asInt()).isEqualTo(2);
        LEFT_TO_ANSWER.release(2);
        for (CompletableFuture<HttpResponse<String>> one : held) {
            assertThat(one.get().statusCode()).isEqualTo(200);
        }
        LEFT_TO_ANSWER.release();
        assertThat(get("few", "/again").statusCode()).isEqualTo(200);
        assertThat(counted("tulle_overflows_total{service=\"shop/few\",kind=\"max-requests\"}"))
                .isEqualTo(1);
    }

    @Test
    void letsAsManyWaitForAConnectionAsAreAllowed() throws Exception {
        // Chunked uploads take a connection each; other requests share one between two proxies.
        CompletableFuture<HttpResponse<String>> first = uploadLater("/first");
        await().atMost(BOUND).until(() -> HELD.received("/first").size() == 1);
        CompletableFuture<HttpResponse<String>> second = uploadLater("/second");
        await().atMost(BOUND)
                .until(() -> live("shop/queue").path("pending").path("now").asInt() == 1);

        HttpResponse<String> third = uploadLater("/third").get();

        assertThat(third.statusCode()).isEqualTo(503);
        assertThat(reason(third)).isEqualTo("max-pending");
        assertThat(live("shop/queue").path("connections").path("now").asInt()).isEqualTo(1);
        LEFT_TO_ANSWER.release(2);
        assertThat(first.get().statusCode()).isEqualTo(200);
        assertThat(second.get().statusCode()).isEqualTo(200);
    }

    @Test
    void closesAnOpaqueConnectionBeyondThoseAllowed() throws Exception {
        try (RawConnection first = RawConnection.to(MESH.port("tcp-few"))) {
            first.send("GET /opaque HTTP/1.1\r\nhost: a\r\n\r\n");
            assertThat(first.readUntil(BOUND, text -> text.endsWith("/opaque")).status())
                    .isEqualTo(200);
            try (RawConnection second = RawConnection.to(MESH.port("tcp-few"))) {
                second.send("GET /second HTTP/1.1\r\nhost: a\r\n\r\n");
                RawConnection.Said said = second.readToEnd(BOUND);
                assertThat(said.text()).isEmpty();
                assertThat(said.closed()).isTrue();
            }
        }
        assertThat(counted("tulle_overflows_total{service=\"shop/tcp-few\",kind=\"max-connections\"}"))
                .isPositive();
    }

    @Test
    void refusesACallerThatAsksTooOften() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(get("limited", "/rate").statusCode()).isEqualTo(200);
        }
        HttpResponse<String> refused = get("limited", "/rate");

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(reason(refused)).isEqualTo("rate-limit");
        assertThat(Long.parseLong(refused.headers().firstValue("retry-after").orElse("0")))
                .isBetween(1L, 1201L);
        assertThat(WELL.received("/rate")).hasSize(3);
        assertThat(MESH.server().admin("/metrics")).containsPattern("tulle_rate_limited_total\\{[^}]*} [1-9]");
    }

    @Test
    void countsOpaqueConnectionsAgainstTheRate() throws Exception {
        for (int i = 0; i < 2; i++) {
            try (RawConnection connection = RawConnection.to(MESH.port("tcp-limited"))) {
                connection.send("GET /tcp HTTP/1.1\r\nhost: a\r\n\r\n");
                assertThat(connection
                                .readUntil(BOUND, text -> text.endsWith("/tcp"))
                                .status())
                        .isEqualTo(200);
            }
        }
        try (RawConnection connection = RawConnection.to(MESH.port("tcp-limited"))) {
            connection.send("GET /tcp HTTP/1.1\r\nhost: a\r\n\r\n");
            assertThat(connection.readToEnd(BOUND).text()).isEmpty();
        }
    }

    @Test
    void abortsExactlyTheShareThatWasAskedFor() throws Exception {
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            HttpResponse<String> answer = get("aborting", "/abort");
            statuses.add(answer.statusCode());
            assertThat(reason(answer)).isEqualTo(answer.statusCode() == 503 ? "fault-abort" : "");
        }

        assertThat(statuses).filteredOn(status -> status == 503).hasSize(10);
        assertThat(WELL.received("/abort")).hasSize(10);
        assertThat(counted("tulle_faults_injected_total{service=\"shop/aborting\",kind=\"abort\"}"))
                .isEqualTo(10);
    }

    @Test
    void delaysAndSaysSo() throws Exception {
        long begun = System.nanoTime();
        HttpResponse<String> answer =
                send(request("delaying", "/delay").POST(HttpRequest.BodyPublishers.ofString("kept meanwhile")));

        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(reason(answer)).isEqualTo("fault-delay");
        assertThat(WELL.received("/delay").getFirst().body()).isEqualTo("kept meanwhile");
    }

    @Test
    void leavesCallsAloneOnceAFaultIsOver() throws Exception {
        assertThat(get("over", "/over").statusCode()).isEqualTo(200);
        await().atMost(BOUND).until(() -> get("ending", "/ending").statusCode() == 200);
    }

    @Test
    void staysInItsZone() throws Exception {
        for (int i = 0; i < 20; i++) {
            assertThat(get("zoned", "/zone").body()).isEqualTo("near");
        }
    }

    @Test
    void leavesItsZoneWhenNobodyIsLeftInIt() throws Exception {
        await().atMost(BOUND).until(() -> get("spilling", "/spill").statusCode() == 500);
        for (int i = 0; i < 20; i++) {
            assertThat(get("spilling", "/spill").body()).isEqualTo("far");
        }
    }

    private static Resilience ejection(int after, long forMillis) {
        return new Resilience(
                Timeouts.NONE,
                Optional.empty(),
                Optional.of(new Ejection(after, forMillis)),
                Capacity.UNLIMITED,
                List.of(),
                false);
    }

    private static Resilience capacity(Capacity capacity) {
        return new Resilience(Timeouts.NONE, Optional.empty(), Optional.empty(), capacity, List.of(), false);
    }

    private static Resilience faults(Fault... faults) {
        return new Resilience(
                Timeouts.NONE, Optional.empty(), Optional.empty(), Capacity.UNLIMITED, List.of(faults), false);
    }

    private static JsonNode live(String service) throws IOException {
        for (JsonNode destination : new ObjectMapper()
                .readTree(MESH.client().admin("/config"))
                .path("live")
                .path("destinations")) {
            if (destination.path("service").asText().equals(service)) {
                return destination;
            }
        }
        throw new AssertionError("no live state of " + service);
    }

    private static HttpRequest.Builder request(String service, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(MESH.port(service), path)))
                .timeout(BOUND);
    }

    private static HttpResponse<String> get(String service, String path) throws IOException, InterruptedException {
        return send(request(service, path).GET());
    }

    private static CompletableFuture<HttpResponse<String>> later(String service, String path) {
        return CLIENT.sendAsync(request(service, path).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    private static CompletableFuture<HttpResponse<String>> uploadLater(String path) {
        return CLIENT.sendAsync(
                request("queue", path)
                        .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[10])))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String reason(HttpResponse<String> answer) {
        return answer.headers().firstValue("x-tulle-reason").orElse("");
    }

    private static double counted(String series) {
        return ResilientMesh.metric(MESH.client(), series);
    }
}
