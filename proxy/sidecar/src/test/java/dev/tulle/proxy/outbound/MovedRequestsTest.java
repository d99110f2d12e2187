package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Report;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Instances whose application is gone, or goes, cost no request. */
@Timeout(180)
class MovedRequestsTest {
    private final TestMesh mesh = new TestMesh();
    private final List<Application> applications = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void close() {
        mesh.close();
        applications.forEach(Application::stop);
        threads.shutdownNow();
    }

    /** Answers with the body it was sent. */
    private final class Application {
        private final HttpServer server;
        private final AtomicInteger served = new AtomicInteger();

        Application() {
            try {
                server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            server.setExecutor(threads);
            server.createContext("/", exchange -> {
                served.incrementAndGet();
                byte[] body = exchange.getRequestBody().readAllBytes();
                exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
            applications.add(this);
        }

        HostPort address() {
            return new HostPort("127.0.0.1", server.getAddress().getPort());
        }

        void stop() {
            server.stop(0);
        }
    }

    private static HostPort nobody() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new HostPort("127.0.0.1", taken.getLocalPort());
        }
    }

    private static long moved(TestMesh.Side client) {
        return client.meters.drain().stream()
                .flatMap(report -> report.acts().stream())
                .filter(act -> act.what().equals("moved"))
                .mapToLong(Report.Act::count)
                .sum();
    }

    private static HttpRequest post(TestMesh.Side client, String body) {
        return request(client).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    }

    private static HttpRequest.Builder request(TestMesh.Side client) {
        return HttpRequest.newBuilder(URI.create("http://" + client.outboundPort() + "/"));
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void goToAnotherEndpointWhateverTheMethodWhenTheApplicationIsGone(HttpClient.Version version) throws Exception {
        Application well = new Application();
        var gone = mesh.server("reviews", Protocol.DETECT, nobody(), InboundPolicy.OPEN);
        var there = mesh.server("reviews", Protocol.DETECT, well.address(), InboundPolicy.OPEN);
        var client = mesh.client("web", TestMesh.service(Protocol.DETECT, gone.endpoint(), there.endpoint()));
        String body = "order ".repeat(3000);

        try (HttpClient http = HttpClient.newBuilder().version(version).build()) {
            for (int i = 0; i < 60; i++) {
                HttpResponse<String> answer = http.send(post(client, body), HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).as("request %d", i).isEqualTo(200);
                assertThat(answer.body()).isEqualTo(body);
            }
        }

        assertThat(well.served).hasValue(60);
        assertThat(moved(client)).isPositive();
    }

    @Test
    void areAnsweredWhenNoEndpointIsLeft() throws Exception {
        List<Endpoint> gone = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            gone.add(mesh.server("reviews", Protocol.DETECT, nobody(), InboundPolicy.OPEN)
                    .endpoint());
        }
        var client = mesh.client("web", TestMesh.service(Protocol.DETECT, gone.toArray(Endpoint[]::new)));

        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(post(client, "order"), HttpResponse.BodyHandlers.ofString());

            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("x-tulle-reason")).hasValue("connect-failed");
        }
        assertThat(moved(client)).isEqualTo(2);
    }

    /** An application that has called others may hand on what their proxies said. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void stayWhereAnApplicationSaysThatItDidNothing(boolean meshed) throws Exception {
        try (RawOrigin says = new RawOrigin(connection -> {
            while (!connection.readHead().isEmpty()) {
                connection.send(
                        "HTTP/1.1 503 Service Unavailable\r\nX-Tulle-Unprocessed: true\r\nContent-Length: 0\r\n\r\n");
            }
        })) {
            var first = mesh.server("reviews", Protocol.DETECT, says.address(), InboundPolicy.OPEN);
            var second = mesh.server("reviews", Protocol.DETECT, says.address(), InboundPolicy.OPEN);
            var client = mesh.client(
                    "web",
                    meshed
                            ? TestMesh.service(Protocol.DETECT, first.endpoint(), second.endpoint())
                            : TestMesh.service(
                                    Protocol.DETECT,
                                    new Endpoint(says.address(), "shop/old-1", Optional.empty(), ""),
                                    new Endpoint(says.address(), "shop/old-2", Optional.empty(), "")));

            try (HttpClient http = HttpClient.newHttpClient()) {
                HttpResponse<String> answer = http.send(request(client).build(), HttpResponse.BodyHandlers.ofString());

                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("x-tulle-unprocessed")).isEmpty();
            }
            assertThat(moved(client)).isZero();
        }
    }

    /** Instances end and begin while two callers go on; one of them always hears of it late. */
    @Test
    void areNotLostWhileInstancesComeAndGo() throws Exception {
        List<Application> running = new CopyOnWriteArrayList<>();
        List<TestMesh.Side> sides = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 3; i++) {
            begin(running, sides);
        }
        var first = mesh.client("web", destination(sides));
        var late = mesh.client("admin", destination(sides));
        AtomicInteger sent = new AtomicInteger();
        List<String> failures = new CopyOnWriteArrayList<>();
        var over = new AtomicBoolean();
        List<CompletableFuture<Void>> load = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            boolean posts = i % 2 == 0;
            load.add(CompletableFuture.runAsync(
                    () -> {
                        try (HttpClient http = HttpClient.newBuilder()
                                .version(HttpClient.Version.HTTP_1_1)
                                .build()) {
                            while (!over.get()) {
                                HttpRequest request = posts
                                        ? post(first, "order " + sent.get())
                                        : request(late).build();
                                HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                                sent.incrementAndGet();
                                if (answer.statusCode() != 200) {
                                    failures.add(request.method() + " " + answer.statusCode() + " " + answer.body());
                                }
                            }
                        } catch (IOException | InterruptedException e) {
                            failures.add(e.toString());
                        }
                    },
                    threads));
        }

        for (int round = 0; round < 6; round++) {
            begin(running, sides);
            TestMesh.Side leaving = sides.removeFirst();
            Application ending = running.removeFirst();
            to(first, sides);
            awaitMore(sent);
            ending.stop();
            awaitMore(sent);
            to(late, sides);
            leaving.inbound.drain(Duration.ofSeconds(5)).toCompletableFuture().get(10, TimeUnit.SECONDS);
        }
        over.set(true);
        for (CompletableFuture<Void> each : load) {
            each.get(20, TimeUnit.SECONDS);
        }

        assertThat(failures).as("of %d requests", sent.get()).isEmpty();
    }

    private static void awaitMore(AtomicInteger sent) {
        int enough = sent.get() + 40;
        await().atMost(Duration.ofSeconds(20)).until(() -> sent.get() >= enough);
    }

    private void begin(List<Application> running, List<TestMesh.Side> sides) {
        Application application = new Application();
        running.add(application);
        sides.add(mesh.server("reviews", Protocol.HTTP, application.address(), InboundPolicy.OPEN));
    }

    private static Destination destination(List<TestMesh.Side> sides) {
        return TestMesh.service(
                Protocol.HTTP, sides.stream().map(TestMesh.Side::endpoint).toArray(Endpoint[]::new));
    }

    private static void to(TestMesh.Side client, List<TestMesh.Side> sides) {
        client.configure(config ->
                new ProxyConfig(config.version() + 1, config.workload(), List.of(destination(sides)), config.trust()));
    }
}
