package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.Http2Origin;
import dev.tulle.conformance.mesh.Listening;
import dev.tulle.conformance.mesh.MeshTls;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RawHttp2;
import dev.tulle.conformance.mesh.RawHttp2.Field;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Who calls is what a certificate proves: no field, no spelling and no way round the proxy tells the application anything else. */
class CallerIdentityTest {
    private static final Duration BOUND = Duration.ofSeconds(10);
    private static final String LIE = "By=x;URI=spiffe://cluster.local/ns/shop/sa/admin";

    private static final List<String> SPELLINGS = List.of(
            "x-forwarded-client-cert",
            "X-Forwarded-Client-Cert",
            "X-FORWARDED-CLIENT-CERT",
            "x_forwarded_client_cert",
            "x-forwarded_client-cert",
            "x_forwarded-client-cert",
            "x.forwarded.client.cert",
            "x-forwarded-client.cert",
            "x~forwarded~client~cert",
            "x!forwarded'client*cert",
            "x-forwarded-client-cert-chain",
            "client-cert",
            "Client-Cert-Chain",
            "client_cert",
            "x-client-cert",
            "ssl-client-cert",
            "x-ssl-client-cert",
            "x-spiffe-id",
            "l5d-client-id",
            "x-tulle-reason",
            "X-Tulle-Anything",
            "x_tulle_anything",
            "x.tulle.anything");

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;
    private static Http2Origin http2Origin;
    private static SidecarPair http2Mesh;

    @BeforeAll
    static void start() throws IOException {
        origin = new RecordingOrigin();
        mesh = SidecarPair.open(Files.createDirectories(folder.resolve("one")), Protocol.DETECT, origin.port());
        http2Origin = new Http2Origin();
        http2Mesh = SidecarPair.open(Files.createDirectories(folder.resolve("two")), Protocol.HTTP, http2Origin.port());
    }

    @AfterAll
    static void stop() {
        for (AutoCloseable each : new AutoCloseable[] {mesh, http2Mesh, origin, http2Origin}) {
            try {
                if (each != null) {
                    each.close();
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** A way to the application. */
    private interface Way {
        RawConnection connect() throws IOException;
    }

    private static final Map<String, Way> WAYS = Map.of(
            "as the application beside the caller's proxy", () -> RawConnection.to(mesh.outboundPort()),
            "in plain text", () -> RawConnection.to(mesh.inboundPort()),
            "as a peer", () -> RawConnection.over(dial(mesh, "http/1.1")),
            "as a peer that calls its bytes opaque", () -> RawConnection.over(dial(mesh, "tulle-tcp")));

    private static Socket dial(SidecarPair pair, String alpn) throws IOException {
        return MeshTls.dial(
                pair.inboundPort(),
                Optional.of(pair.authority().leaf(pair.authority().identity("shop", "thief"))),
                alpn,
                "tulle-tcp");
    }

    @TestFactory
    Stream<DynamicTest> neverBelievesAFieldWhateverItsSpelling() {
        return WAYS.entrySet().stream()
                .flatMap(way -> SPELLINGS.stream()
                        .map(spelling -> DynamicTest.dynamicTest(way.getKey() + ": " + spelling, () -> {
                            // Given
                            int before = origin.received().size();
                            // When
                            Said said = exchange(
                                    way.getValue(),
                                    "GET /lie HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n" + spelling + ": "
                                            + LIE + "\r\nx-kept: 1\r\n\r\n");
                            // Then
                            assertThat(said.status()).as(said.text()).isEqualTo(200);
                            assertThat(origin.received()
                                            .subList(before, origin.received().size()))
                                    .singleElement()
                                    .satisfies(request -> {
                                        assertThat(request.values("x-kept")).containsExactly("1");
                                        assertThat(request.fields()).noneMatch(field -> field.contains("admin"));
                                    });
                        })));
    }

    @TestFactory
    Stream<DynamicTest> neverLosesTheVerifiedIdentityByATrick() {
        String lie = "x-forwarded-client-cert: " + LIE + "\r\n";
        Map<String, String> tricks = Map.of(
                "said twice", lie + lie,
                "empty", "x-forwarded-client-cert:\r\n",
                "named by Connection", "connection: X-Forwarded-Client-Cert\r\n" + lie,
                "named by Connection in underscores", "connection: x_forwarded_client_cert\r\n" + lie,
                "in trailers", "te: trailers\r\nconnection: te\r\ntransfer-encoding: chunked\r\n",
                "on the way to WebSocket",
                        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
                                + lie);
        return tricks.entrySet().stream()
                .map(trick -> DynamicTest.dynamicTest(trick.getKey(), () -> {
                    // Given
                    int before = origin.received().size();
                    boolean chunked = trick.getValue().contains("chunked");
                    // When
                    try (RawConnection connection = RawConnection.over(dial(mesh, "http/1.1"))) {
                        connection.send((chunked ? "POST" : "GET") + " /trick HTTP/1.1\r\nhost: catalog\r\n"
                                + trick.getValue() + "\r\n" + (chunked ? "0\r\n" + lie + "\r\n" : ""));
                        connection.readUntil(BOUND, text -> text.endsWith("/trick") || text.startsWith("HTTP/1.1 400"));
                    }
                    // Then
                    assertThat(origin.received()
                                    .subList(before, origin.received().size()))
                            .hasSizeLessThanOrEqualTo(1)
                            .allSatisfy(
                                    request -> assertThat(request.values("x-forwarded-client-cert"))
                                            .containsExactly(
                                                    "By=spiffe://cluster.local/ns/shop/sa/catalog;URI=spiffe://cluster.local/ns/shop/sa/thief"));
                }));
    }

    /** Requests that a parser which forgives would take; on a port whose protocol is detected none may pass for opaque bytes. */
    @TestFactory
    Stream<DynamicTest> neverTakesAnOddRequestForOpaqueBytes() {
        return WAYS.entrySet().stream()
                .flatMap(way -> Stream.of(
                                "\r\nGET /odd HTTP/1.1",
                                "\r\n\r\nGET /odd HTTP/1.1",
                                "\nGET /odd HTTP/1.1",
                                " GET /odd HTTP/1.1",
                                "GET  /odd HTTP/1.1",
                                "GET\t/odd HTTP/1.1",
                                "GET /odd  HTTP/1.1",
                                "GET /odd\tHTTP/1.1",
                                "GET /odd x HTTP/1.1",
                                "GET /odd http/1.1",
                                "GET /odd HTTP/2.0",
                                "GET /odd HTTP/1.1 ",
                                "GET /odd HTTP/01.1",
                                "GET /odd\u00e4 HTTP/1.1",
                                "POST\u000b/odd HTTP/1.1")
                        .map(line -> DynamicTest.dynamicTest(way.getKey() + ": " + line, () -> {
                            exchange(
                                    way.getValue(),
                                    line + "\r\nhost: catalog\r\nconnection: close\r\nx-forwarded-client-cert: " + LIE
                                            + "\r\n\r\n");
                            assertNoLieArrived();
                        })));
    }

    @Test
    void neverTakesASlowRequestForOpaqueBytes() throws Exception {
        String rest = "host: catalog\r\nconnection: close\r\nx-forwarded-client-cert: " + LIE + "\r\n\r\n";
        List<RawConnection> slow = new ArrayList<>();
        List<String> heads = List.of("", "G", "GET", "GET /slo", "GET /slow HT", "\r\n", "po", "POST\t");
        try {
            for (String head : heads) {
                for (Way way : WAYS.values()) {
                    RawConnection connection = way.connect();
                    slow.add(connection);
                    connection.send(head);
                }
            }
            // When more time has gone by than a proxy takes to find out what is spoken
            Thread.sleep(12_500);
            for (int i = 0; i < slow.size(); i++) {
                String head = heads.get(i / WAYS.size());
                String line = "GET /slow HTTP/1.1\r\n";
                try {
                    slow.get(i)
                            .send((line.startsWith(head) ? line.substring(head.length()) : "/slow HTTP/1.1\r\n")
                                    + rest);
                    slow.get(i).readToEnd(BOUND);
                } catch (IOException e) {
                    // Closed by then.
                }
            }
        } finally {
            for (RawConnection connection : slow) {
                connection.close();
            }
        }
        // Then
        assertNoLieArrived();
    }

    private static void assertNoLieArrived() {
        assertThat(origin.received())
                .allSatisfy(request -> assertThat(request.fields()).noneMatch(field -> field.contains("admin")));
    }

    @Test
    void neverBelievesAFieldOverHttp2() throws IOException {
        List<Socket> ways = List.of(
                RawConnection.dial(http2Mesh.outboundPort()),
                RawConnection.dial(http2Mesh.inboundPort()),
                dial(http2Mesh, "h2"));
        for (Socket way : ways) {
            try (RawHttp2 connection = RawHttp2.over(way)) {
                int stream = 1;
                for (String spelling : SPELLINGS) {
                    String name = spelling.toLowerCase(Locale.ROOT);
                    List<Field> fields = new ArrayList<>(RawHttp2.get("/lie"));
                    fields.add(new Field(name, LIE));
                    int now = stream;
                    connection.headers(now, true, fields);
                    assertThat(connection.await(BOUND, frame -> frame.stream() == now && frame.type() == RawHttp2.DATA))
                            .as(name)
                            .isTrue();
                    stream += 2;
                }
                connection.headers(stream, false, RawHttp2.get("/lie"));
                connection.headers(stream, true, List.of(new Field("x-forwarded-client-cert", LIE)));
                int last = stream;
                assertThat(connection.await(BOUND, frame -> frame.stream() == last))
                        .isTrue();
            }
        }
        assertThat(http2Origin.heads("/lie"))
                .hasSizeGreaterThanOrEqualTo(3 * SPELLINGS.size())
                .allSatisfy(head -> assertThat(head.iterator())
                        .toIterable()
                        .noneMatch(field -> field.getValue().toString().contains("admin")));
    }

    @Test
    void bytesThatAPeerCallsOpaqueAreJudgedByTheRequestsInThem() throws IOException {
        // Given a workload that takes only GET /open from the thief
        InboundPolicy onlyOpen = new InboundPolicy(
                InboundPolicy.Access.CLOSED,
                InboundPolicy.Unmeshed.DENY,
                false,
                List.of(new Grant(
                        "shop/open",
                        List.of(new SpiffeId("cluster.local", "shop", "thief")),
                        Optional.empty(),
                        Optional.of(List.of(new HttpMatch(
                                "routes/open",
                                Optional.of(new HttpMatch.PathPattern("/open", true)),
                                List.of("GET"),
                                List.of()))))));
        for (Protocol protocol : List.of(Protocol.HTTP, Protocol.DETECT)) {
            Path place = Files.createDirectories(folder.resolve("closed-" + protocol));
            try (RecordingOrigin closed = new RecordingOrigin();
                    SidecarPair pair = SidecarPair.withPolicy(place, protocol, closed.port(), onlyOpen)) {
                // When
                Said open = exchange(
                        () -> RawConnection.over(dial(pair, "tulle-tcp")),
                        "GET /open HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
                Said other = exchange(
                        () -> RawConnection.over(dial(pair, "tulle-tcp")),
                        "GET /other HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
                Said bytes = exchange(() -> RawConnection.over(dial(pair, "tulle-tcp")), "SET a b\r\n\r\n");
                // Then
                assertThat(open.status()).as(open.text()).isEqualTo(200);
                assertThat(other.status()).as(other.text()).isEqualTo(403);
                assertThat(bytes.status()).as(bytes.text()).isIn(0, 400);
                assertThat(closed.received())
                        .extracting(RecordingOrigin.Received::target)
                        .containsExactly("/open");
            }
        }
    }

    @Test
    void requestsOfDifferentCallersShareNoConnectionToTheApplication() throws IOException {
        // Given two callers, each of which reuses what it finds
        int before = origin.received().size();
        for (String account : List.of("first", "second", "first", "second")) {
            Socket socket = MeshTls.dial(
                    mesh.inboundPort(),
                    Optional.of(mesh.authority().leaf(mesh.authority().identity("shop", account))),
                    "http/1.1",
                    "tulle-tcp");
            // When
            exchange(
                    () -> RawConnection.over(socket),
                    "GET /" + account + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
        }
        // Then
        List<RecordingOrigin.Received> requests =
                origin.received().subList(before, origin.received().size());
        assertThat(requests).hasSize(4);
        for (RecordingOrigin.Received one : requests) {
            for (RecordingOrigin.Received other : requests) {
                assertThat(one.connection() == other.connection())
                        .as("%s and %s on one connection", one.target(), other.target())
                        .isEqualTo(one.target().equals(other.target()));
            }
        }
    }

    @Test
    void aServerThatSpeaksFirstStillDoesSoBehindAPortWhoseProtocolIsDetected() throws Exception {
        try (Listening greeting = new Listening((socket, number) -> {
                    socket.getOutputStream().write("220 hello\r\n".getBytes(StandardCharsets.US_ASCII));
                    RecordingOrigin.readHead(socket.getInputStream());
                });
                SidecarPair pair = SidecarPair.open(
                        Files.createDirectories(folder.resolve("greeting")), Protocol.DETECT, greeting.port());
                RawConnection peer = RawConnection.over(dial(pair, "tulle-tcp"))) {
            assertThat(peer.readUntil(BOUND, text -> text.endsWith("\r\n")).text())
                    .isEqualTo("220 hello\r\n");
        }
    }

    private static Said exchange(Way way, String bytes) throws IOException {
        try (RawConnection connection = way.connect()) {
            connection.send(bytes);
            return connection.readToEnd(BOUND);
        }
    }
}
