package dev.tulle.conformance;

import static dev.tulle.conformance.mesh.RecordingOrigin.bytes;
import static dev.tulle.conformance.mesh.RecordingOrigin.ok;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.ResilientMesh;
import dev.tulle.conformance.mesh.ResilientMesh.Application;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Resilience.Capacity;
import dev.tulle.proxy.model.Resilience.Retries;
import dev.tulle.proxy.model.Resilience.RetryOn;
import dev.tulle.proxy.model.Resilience.Timeouts;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits of time and repetition as the calling application sees them, through two sidecars over HTTP/1.1. */
@Timeout(60)
class TimeoutsAndRetriesTest {
    private static final Duration BOUND = Duration.ofSeconds(20);
    private static final Set<RetryOn> USUAL =
            EnumSet.of(RetryOn.SERVER_ERROR, RetryOn.CONNECT_FAILURE, RetryOn.RESET, RetryOn.REFUSED_STREAM);
    private static final byte[] CLOSE = new byte[0];
    private static final byte[] UNAVAILABLE =
            bytes("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy");

    private static final AtomicInteger FLAKY = new AtomicInteger();
    private static final AtomicInteger CLOSING = new AtomicInteger();
    private static final AtomicInteger HESITANT = new AtomicInteger();
    private static final RecordingOrigin SLOW = new RecordingOrigin(request -> {
        pause(Duration.ofSeconds(5));
        return ok("late");
    });
    private static final RecordingOrigin QUICK = new RecordingOrigin();

    /** Fails twice, then answers once, and so on. */
    private static final RecordingOrigin FLAKING =
            new RecordingOrigin(request -> FLAKY.incrementAndGet() % 3 == 0 ? ok(request.body()) : UNAVAILABLE);

    private static final RecordingOrigin DEAD = new RecordingOrigin(request -> UNAVAILABLE);

    /** Closes the first connection of each pair without a word. */
    private static final RecordingOrigin CLOSES =
            new RecordingOrigin(request -> CLOSING.incrementAndGet() % 2 == 0 ? ok("second") : CLOSE);

    /** Does not answer the first of each pair in time. */
    private static final RecordingOrigin HESITATES = new RecordingOrigin(request -> {
        if (HESITANT.incrementAndGet() % 2 == 1) {
            pause(Duration.ofSeconds(20));
        }
        return ok("second");
    });

    /** Promises more than it sends. */
    private static final RecordingOrigin STALLS =
            new RecordingOrigin(request -> bytes("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegin"));

    private static final ResilientMesh MESH = new ResilientMesh();
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    static Path folder;

    @BeforeAll
    static void start() {
        MESH.service("slow", Protocol.HTTP, timeouts(new Timeouts(300, 0, 0)), Application.at(SLOW.port()))
                .service("stalling", Protocol.HTTP, timeouts(new Timeouts(0, 0, 300)), Application.at(STALLS.port()))
                .service("quick", Protocol.HTTP, timeouts(new Timeouts(2000, 1000, 1000)), Application.at(QUICK.port()))
                .service("flaky", Protocol.HTTP, retries(2, USUAL, List.of("PATCH")), Application.at(FLAKING.port()))
                .service("dead", Protocol.HTTP, retries(1, USUAL, List.of()), Application.at(DEAD.port()))
                .service(
                        "closing",
                        Protocol.HTTP,
                        retries(1, EnumSet.of(RetryOn.RESET), List.of()),
                        Application.at(CLOSES.port()))
                .service(
                        "hesitant",
                        Protocol.HTTP,
                        new Resilience(
                                new Timeouts(0, 1500, 0),
                                Optional.of(new Retries(1, EnumSet.of(RetryOn.GATEWAY_ERROR), List.of())),
                                Optional.empty(),
                                Capacity.UNLIMITED,
                                List.of(),
                                false),
                        Application.at(HESITATES.port()))
                .service(
                        "half",
                        Protocol.HTTP,
                        retries(1, USUAL, List.of()),
                        Application.at(DEAD.port()),
                        Application.at(QUICK.port()))
                .start(folder);
    }

    @AfterAll
    static void stop() {
        MESH.close();
        List.of(SLOW, QUICK, FLAKING, DEAD, CLOSES, HESITATES, STALLS).forEach(RecordingOrigin::close);
    }

    @Test
    void answers504WithAReasonWhenTheWholeCallTakesTooLong() throws Exception {
        long begun = System.nanoTime();
        HttpResponse<String> answer = get("slow", "/total");
        Duration took = Duration.ofNanos(System.nanoTime() - begun);

        assertThat(answer.statusCode()).isEqualTo(504);
        assertThat(reason(answer)).isEqualTo("timeout");
        assertThat(took).isBetween(Duration.ofMillis(295), Duration.ofSeconds(4));
        assertThat(counted("tulle_timeouts_total{service=\"shop/slow\",kind=\"total\"}"))
                .isPositive();
    }

    @Test
    void letsNoHeaderOfTheCallerExtendATimeout() throws Exception {
        HttpResponse<String> answer = send(request("slow", "/extended")
                .header("x-envoy-upstream-rq-timeout-ms", "9000")
                .header("x-tulle-timeout", "9000")
                .header("grpc-timeout", "9S")
                .GET());

        assertThat(answer.statusCode()).isEqualTo(504);
    }

    @Test
    void cutsAnAnswerThatStallsForTooLong() throws Exception {
        try (RawConnection connection = RawConnection.to(MESH.port("stalling"))) {
            connection.send("GET /idle HTTP/1.1\r\nhost: stalling\r\n\r\n");
            RawConnection.Said said = connection.readToEnd(BOUND);

            assertThat(said.text()).contains("200 OK").endsWith("begin");
            assertThat(said.closed()).isTrue();
        }
        assertThat(counted("tulle_timeouts_total{service=\"shop/stalling\",kind=\"idle\"}"))
                .isPositive();
    }

    @Test
    void leavesACallInTimeAlone() throws Exception {
        HttpResponse<String> answer = get("quick", "/in-time");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(reason(answer)).isEmpty();
    }

    @Test
    void sendsAFailedCallAgainUntilItSucceeds() throws Exception {
        FLAKY.set(0);
        HttpResponse<String> answer =
                send(request("flaky", "/put").PUT(HttpRequest.BodyPublishers.ofString("payload")));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("payload");
        assertThat(FLAKING.received("/put"))
                .hasSize(3)
                .allMatch(request -> request.body().equals("payload"));
    }

    @Test
    void neverSendsAMethodTwiceThatIsNotIdempotent() throws Exception {
        FLAKY.set(0);
        HttpResponse<String> answer = send(request("flaky", "/post").POST(HttpRequest.BodyPublishers.ofString("once")));

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("busy");
        assertThat(FLAKING.received("/post")).hasSize(1);
    }

    @Test
    void sendsAMethodTwiceThatTheServiceLists() throws Exception {
        FLAKY.set(0);
        HttpResponse<String> answer =
                send(request("flaky", "/patch").method("PATCH", HttpRequest.BodyPublishers.ofString("listed")));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(FLAKING.received("/patch")).hasSize(3);
    }

    @Test
    void doesNotSendABodyAgainThatIsTooLargeToKeep() throws Exception {
        FLAKY.set(0);
        HttpResponse<String> answer =
                send(request("flaky", "/large").PUT(HttpRequest.BodyPublishers.ofString("x".repeat(200_000))));

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(FLAKING.received("/large")).hasSize(1);
    }

    @Test
    void sendsACallAgainWhoseConnectionWasClosedWithoutAnAnswer() throws Exception {
        CLOSING.set(0);
        HttpResponse<String> answer = get("closing", "/closed");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("second");
    }

    @Test
    void givesATryItsOwnTimeAndThenTriesAgain() throws Exception {
        HESITANT.set(0);
        HttpResponse<String> answer = get("hesitant", "/again");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("second");
        assertThat(counted("tulle_timeouts_total{service=\"shop/hesitant\",kind=\"per-try\"}"))
                .isPositive();
    }

    @Test
    void triesAnotherEndpointFirst() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(get("half", "/other").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void repeatsNoMoreThanAFifthOfAllCallsAndTenASecond() throws Exception {
        int calls = 150;
        long begun = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            assertThat(get("dead", "/budget").statusCode()).isEqualTo(503);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;

        int repeated = DEAD.received("/budget").size() - calls;
        assertThat(repeated).isPositive().isLessThanOrEqualTo(calls / 5 + 10 + (int) Math.ceil(10 * seconds));
        assertThat(counted("tulle_retries_total{service=\"shop/dead\"}")).isEqualTo(repeated);
        if (repeated < calls) {
            assertThat(counted("tulle_retry_budget_exhausted_total{service=\"shop/dead\"}"))
                    .isEqualTo(calls - repeated);
        }
    }

    private static Resilience timeouts(Timeouts timeouts) {
        return new Resilience(timeouts, Optional.empty(), Optional.empty(), Capacity.UNLIMITED, List.of(), false);
    }

    private static Resilience retries(int most, Set<RetryOn> on, List<String> methods) {
        return new Resilience(
                Timeouts.NONE,
                Optional.of(new Retries(most, on, methods)),
                Optional.empty(),
                Capacity.UNLIMITED,
                List.of(),
                false);
    }

    private static HttpRequest.Builder request(String service, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(MESH.port(service), path)))
                .timeout(BOUND);
    }

    private static HttpResponse<String> get(String service, String path) throws IOException, InterruptedException {
        return send(request(service, path).GET());
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

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
