package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import dev.tulle.conformance.mesh.GreetingOrigin;
import dev.tulle.conformance.mesh.Http2Origin;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.mesh.WebSocketOrigin;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that others wrote, through two sidecars. */
@Timeout(60)
class RealClientsTest {
    private static final byte[] IPV6_LOOPBACK = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    private static final Duration BOUND = Duration.ofSeconds(20);

    @TempDir
    private Path folder;

    @Test
    void theJdksClientSpeaksHttp1() throws Exception {
        try (RecordingOrigin origin = new RecordingOrigin(request -> RecordingOrigin.ok(request.body()));
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .build()) {
            // When
            List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 200)
                    .mapToObj(i -> client.sendAsync(
                            to(mesh, "/echo")
                                    .POST(HttpRequest.BodyPublishers.ofString("body " + i))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString()))
                    .toList();
            // Then
            for (int i = 0; i < answers.size(); i++) {
                HttpResponse<String> answer = answers.get(i).get(20, TimeUnit.SECONDS);
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.body()).isEqualTo("body " + i);
            }
            assertThat(origin.received())
                    .allSatisfy(request -> assertThat(request.values("x-forwarded-client-cert"))
                            .singleElement()
                            .asString()
                            .contains("spiffe://cluster.local/ns/shop/sa/web"));
        }
    }

    @Test
    void curlSpeaksHttp2WithPriorKnowledge() throws Exception {
        try (Http2Origin origin = new Http2Origin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port())) {
            assumeTrue(
                    has("curl") && run("curl", "-V").contains("HTTP2"),
                    "no curl with HTTP/2 here: install the package curl");
            // When
            String said = run(
                    "curl",
                    "-sS",
                    "--max-time",
                    "20",
                    "--http2-prior-knowledge",
                    "-w",
                    " %{http_version} %{http_code}",
                    url(mesh, "/curl"));
            // Then
            assertThat(said).isEqualTo("/curl 2 200");
            assertThat(origin.heads("/curl")).hasSize(1);
        }
    }

    @Test
    void curlSpeaksHttp1WithAndWithoutABody() throws Exception {
        assumeTrue(has("curl"), "no curl here: install the package curl");
        try (RecordingOrigin origin = new RecordingOrigin(request -> RecordingOrigin.ok(request.body()));
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port())) {
            Path body = Files.writeString(folder.resolve("body"), "x".repeat(200_000));
            // When
            String got = run(
                    "curl",
                    "-sS",
                    "--max-time",
                    "20",
                    "-H",
                    "Expect: 100-continue",
                    "--data-binary",
                    "@" + body,
                    url(mesh, "/expect"));
            String chunked = run(
                    "curl",
                    "-sS",
                    "--max-time",
                    "20",
                    "-H",
                    "Transfer-Encoding: chunked",
                    "--data-binary",
                    "@" + body,
                    url(mesh, "/chunked"));
            String head = run("curl", "-sSI", "--max-time", "20", url(mesh, "/head"));
            String upgrade =
                    run("curl", "-sS", "--max-time", "20", "--http2", "-w", "%{http_version}", url(mesh, "/upgrade"));
            // Then
            assertThat(got).hasSize(200_000);
            assertThat(chunked).hasSize(200_000);
            assertThat(head).startsWith("HTTP/1.1 200");
            assertThat(upgrade).isEqualTo("1.1");
            assertThat(origin.received("/upgrade").getFirst().values("http2-settings"))
                    .isEmpty();
        }
    }

    @Test
    void theJdksClientThatWouldRatherSpeakHttp2IsServed() throws Exception {
        // It asks by an upgrade, which is not passed on and not needed.
        try (RecordingOrigin origin = new RecordingOrigin(request -> RecordingOrigin.ok(request.body()));
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_2)
                        .build()) {
            // When
            HttpResponse<String> answer = client.send(
                    to(mesh, "/either")
                            .POST(HttpRequest.BodyPublishers.ofString("body"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            // Then
            assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
            assertThat(answer.body()).isEqualTo("body");
            assertThat(origin.received("/either").getFirst().values("upgrade")).isEmpty();
        }
    }

    @Test
    void theJdksServerIsAnApplicationLikeOthers() throws Exception {
        HttpServer application = jdkServer("127.0.0.1");
        try (SidecarPair mesh = SidecarPair.open(
                        folder, Protocol.HTTP, application.getAddress().getPort());
                HttpClient client = HttpClient.newHttpClient()) {
            String body = "x".repeat(100_000);
            // When
            HttpResponse<String> echoed = client.send(
                    to(mesh, "/echo")
                            .expectContinue(true)
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            HttpResponse<String> head =
                    client.send(to(mesh, "/echo").HEAD().build(), HttpResponse.BodyHandlers.ofString());
            // Then
            assertThat(echoed.body()).isEqualTo(body);
            assertThat(head.statusCode()).isEqualTo(200);
            assertThat(head.body()).isEmpty();
        } finally {
            application.stop(0);
        }
    }

    @Test
    void everythingListensAndDialsInIpv6() throws Exception {
        assumeTrue(hasIpv6(), "no IPv6 on this machine");
        HttpServer application = jdkServer("::1");
        HostPort address = new HostPort("::1", application.getAddress().getPort());
        try (SidecarPair mesh = SidecarPair.at(folder, Protocol.HTTP, address, InboundPolicy.OPEN);
                HttpClient client = HttpClient.newHttpClient()) {
            // When
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://[::1]:%d/host".formatted(mesh.outboundPort())))
                            .timeout(BOUND)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            // Then
            assertThat(answer.body()).isEqualTo("[::1]:" + mesh.outboundPort());
        } finally {
            application.stop(0);
        }
    }

    @Test
    void aWebSocketPassesBothWaysAndCloses() throws Exception {
        try (WebSocketOrigin origin = new WebSocketOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                HttpClient client = HttpClient.newHttpClient()) {
            BlockingQueue<String> heard = new LinkedBlockingQueue<>();
            // When
            WebSocket socket = client.newWebSocketBuilder()
                    .subprotocols("chat")
                    .buildAsync(
                            URI.create("ws://127.0.0.1:%d/socket".formatted(mesh.outboundPort())), new Listener(heard))
                    .get(20, TimeUnit.SECONDS);
            socket.sendText("hello", true).get(5, TimeUnit.SECONDS);
            socket.sendBinary(ByteBuffer.wrap(new byte[70_000]), true).get(5, TimeUnit.SECONDS);
            // Then
            assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("hello");
            assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("70000 bytes");
            assertThat(socket.getSubprotocol()).isEqualTo("chat");
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "done").get(5, TimeUnit.SECONDS);
            assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("closed 1000");
        }
    }

    @Test
    void aServerThatSpeaksFirstIsHeardAtOnceOnAPortNobodyDeclared() throws Exception {
        try (GreetingOrigin origin = new GreetingOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.DETECT, origin.port());
                RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            // When
            Said said = connection.readUntil(Duration.ofSeconds(5), text -> text.endsWith("\r\n"));
            connection.send("PING\r\n");
            Said then = connection.readUntil(Duration.ofSeconds(5), text -> text.endsWith("\r\n"));
            // Then
            assertThat(said.text()).isEqualTo("220 speak\r\n");
            assertThat(then.text()).isEqualTo("PING\r\n");
        }
    }

    private static final class Listener implements WebSocket.Listener {
        private final BlockingQueue<String> heard;
        private int bytes;

        Listener(BlockingQueue<String> heard) {
            this.heard = heard;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            heard.add(data.toString());
            socket.request(1);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            bytes += data.remaining();
            if (last) {
                heard.add(bytes + " bytes");
            }
            socket.request(1);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
            heard.add("closed " + status);
            return CompletableFuture.completedStage(null);
        }
    }

    /** Echoes bodies in chunks; {@code /host} answers with the Host it got. */
    private static HttpServer jdkServer(String host) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(host, 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                byte[] answer = exchange.getRequestURI().getPath().equals("/host")
                        ? exchange.getRequestHeaders().getFirst("Host").getBytes(StandardCharsets.UTF_8)
                        : exchange.getRequestBody().readAllBytes();
                boolean head = exchange.getRequestMethod().equals("HEAD");
                exchange.sendResponseHeaders(200, head ? -1 : 0);
                if (!head) {
                    exchange.getResponseBody().write(answer);
                }
            }
        });
        server.start();
        return server;
    }

    private static boolean hasIpv6() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(IPV6_LOOPBACK), 0));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static HttpRequest.Builder to(SidecarPair mesh, String path) {
        return HttpRequest.newBuilder(URI.create(url(mesh, path))).timeout(BOUND);
    }

    private static String url(SidecarPair mesh, String path) {
        return "http://127.0.0.1:%d%s".formatted(mesh.outboundPort(), path);
    }

    private static boolean has(String program) {
        return List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }
}
