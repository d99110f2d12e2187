package dev.tulle.conformance;

import static dev.tulle.conformance.mesh.RawHttp2.ACK;
import static dev.tulle.conformance.mesh.RawHttp2.CONTINUATION;
import static dev.tulle.conformance.mesh.RawHttp2.DATA;
import static dev.tulle.conformance.mesh.RawHttp2.END_HEADERS;
import static dev.tulle.conformance.mesh.RawHttp2.END_STREAM;
import static dev.tulle.conformance.mesh.RawHttp2.ENHANCE_YOUR_CALM;
import static dev.tulle.conformance.mesh.RawHttp2.GOAWAY;
import static dev.tulle.conformance.mesh.RawHttp2.HEADERS;
import static dev.tulle.conformance.mesh.RawHttp2.PING;
import static dev.tulle.conformance.mesh.RawHttp2.PRIORITY;
import static dev.tulle.conformance.mesh.RawHttp2.RST_STREAM;
import static dev.tulle.conformance.mesh.RawHttp2.SETTINGS;
import static dev.tulle.conformance.mesh.RawHttp2.WINDOW_UPDATE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.Http2Origin;
import dev.tulle.conformance.mesh.MeshTls;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawHttp2;
import dev.tulle.conformance.mesh.RawHttp2.Field;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.mesh.TestAuthority;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * HTTP/2 peers that flood, lie about lengths or bend the rules, by the application's port and by the callee's public port.
 *
 * <p>Source: RFC 9113, sections 6 and 8; CVE-2019-9512, -9514, -9515, -9518, CVE-2023-44487, CVE-2025-55163, CVE-2026-33871.
 */
class Http2AttackTest {
    private static final Duration BOUND = Duration.ofSeconds(10);
    /** More than any limit of ours, less than would take long. */
    private static final int FLOOD = 20_000;

    /** A few floods of at most 200 resets each, from two sides. */
    private static final int NOTICED = 2_000;

    private static final List<String> FLOOD_PATHS =
            List.of("/rapid", "/made", "/overflow", "/empty", "/continued", "/grown");

    private static final TestAuthority AUTHORITY_OF_NOBODY = new TestAuthority("cluster.local");

    @TempDir
    private static Path folder;

    private static Http2Origin origin;
    private static SidecarPair mesh;
    private static TestAuthority.Leaf caller;

    @BeforeAll
    static void start() {
        origin = new Http2Origin();
        mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
        caller = mesh.authority().leaf(mesh.authority().identity("shop", "thief"));
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        origin.close();
    }

    private enum Entrance {
        OUTBOUND,
        INBOUND;

        RawHttp2 connect() throws IOException {
            return RawHttp2.over(
                    this == OUTBOUND
                            ? RawConnection.dial(mesh.outboundPort())
                            : MeshTls.dial(mesh.inboundPort(), Optional.of(caller), "h2"));
        }
    }

    private interface Attack {
        /** One more frame or a few; called with 0, 1, 2, … */
        void once(RawHttp2 connection, int round) throws IOException;
    }

    private record Flood(String name, Attack attack) {}

    private static final List<Flood> FLOODS = List.of(
            new Flood("streams that are reset at once", (connection, round) -> {
                connection.headers(1 + 2 * round, false, RawHttp2.get("/rapid"));
                connection.frame(RST_STREAM, 0, 1 + 2 * round, RawHttp2.number(8));
            }),
            new Flood("streams that make the proxy reset them", (connection, round) -> {
                connection.headers(1 + 2 * round, false, RawHttp2.get("/made"));
                connection.frame(WINDOW_UPDATE, 0, 1 + 2 * round, RawHttp2.number(0));
            }),
            new Flood("streams whose window overflows", (connection, round) -> {
                connection.headers(1 + 2 * round, false, RawHttp2.get("/overflow"));
                connection.frame(WINDOW_UPDATE, 0, 1 + 2 * round, RawHttp2.number(Integer.MAX_VALUE));
            }),
            new Flood(
                    "malformed requests",
                    (connection, round) -> connection.headers(1 + 2 * round, true, List.of(new Field("Bad", "x")))),
            new Flood("pings", (connection, round) -> connection.frame(PING, 0, 0, new byte[8])),
            new Flood("settings", (connection, round) -> connection.frame(SETTINGS, 0, 0, new byte[0])),
            new Flood(
                    "acknowledged settings nobody sent",
                    (connection, round) -> connection.frame(SETTINGS, ACK, 0, new byte[0])),
            new Flood(
                    "priorities",
                    (connection, round) -> connection.frame(PRIORITY, 0, 1 + 2 * round, new byte[] {0, 0, 0, 0, 1})),
            new Flood("frames of an unknown type", (connection, round) -> connection.frame(99, 0, 0, new byte[0])),
            new Flood("empty data", (connection, round) -> {
                if (round == 0) {
                    connection.headers(1, false, RawHttp2.get("/empty"));
                }
                connection.frame(DATA, 0, 1, new byte[0]);
            }),
            new Flood("empty continuations", (connection, round) -> {
                if (round == 0) {
                    connection.frame(HEADERS, 0, 1, RawHttp2.block(RawHttp2.get("/continued")));
                }
                connection.frame(CONTINUATION, 0, 1, new byte[0]);
            }),
            new Flood("continuations with ever more fields", (connection, round) -> {
                if (round == 0) {
                    connection.frame(HEADERS, 0, 1, RawHttp2.block(RawHttp2.get("/grown")));
                }
                connection.frame(CONTINUATION, 0, 1, RawHttp2.block(List.of(new Field("x-a", "b".repeat(1000)))));
            }));

    @TestFactory
    Stream<DynamicTest> sendsAFloodingPeerAwayAndServesTheOthers() {
        return Stream.of(Entrance.values())
                .flatMap(entrance -> FLOODS.stream()
                        .map(flood -> DynamicTest.dynamicTest(entrance + ": " + flood.name(), () -> {
                            try (RawHttp2 attacker = entrance.connect()) {
                                // When
                                int sent = 0;
                                try {
                                    while (sent < FLOOD && !attacker.closed()) {
                                        flood.attack().once(attacker, sent);
                                        sent++;
                                    }
                                } catch (IOException e) {
                                    // Sent away, as it should be.
                                }
                                // Then
                                assertThat(attacker.awaitClose(BOUND))
                                        .as("closed after %d rounds", sent)
                                        .isTrue();
                                assertThat(attacker.frames())
                                        .filteredOn(frame -> frame.type() == GOAWAY)
                                        .allSatisfy(frame ->
                                                assertThat(frame.errorCode()).isIn(1, 3, 6, 9, ENHANCE_YOUR_CALM));
                            }
                            assertThat(origin.heads().stream()
                                            .filter(head -> FLOOD_PATHS.contains(String.valueOf(head.path()))))
                                    .as("what the application noticed of all floods so far")
                                    .hasSizeLessThan(NOTICED);
                            assertServes(entrance);
                        })));
    }

    private record Request(String name, List<Field> fields) {}

    private static Request with(String name, String field, String value) {
        List<Field> fields = new ArrayList<>(RawHttp2.get("/bad"));
        fields.add(new Field(field, value));
        return new Request(name, List.copyOf(fields));
    }

    private static Request only(String name, String... pairs) {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < pairs.length; i += 2) {
            fields.add(new Field(pairs[i], pairs[i + 1]));
        }
        return new Request(name, List.copyOf(fields));
    }

    private static final List<Request> MALFORMED = List.of(
            with("an upper-case name", "X-Upper", "1"),
            with("connection", "connection", "close"),
            with("keep-alive", "keep-alive", "timeout=5"),
            with("proxy-connection", "proxy-connection", "keep-alive"),
            with("transfer-encoding", "transfer-encoding", "chunked"),
            with("upgrade", "upgrade", "h2c"),
            with("te other than trailers", "te", "gzip"),
            with("a line end in a value", "x-a", "b\r\nhost: admin"),
            with("a NUL in a value", "x-a", "b\u0000"),
            with("a line end in a name", "x-a\r\nhost", "b"),
            with("a space in a name", "x a", "b"),
            with("a colon in a name", "x:a", "b"),
            with("an empty name", "", "b"),
            with("another host", "host", "admin"),
            with("a pseudo-header after the others", ":path", "/admin"),
            with("an unknown pseudo-header", ":admin", "1"),
            with("a pseudo-header of answers", ":status", "200"),
            with("content-length beyond the data", "content-length", "5"),
            with("two different content-lengths", "content-length", "0, 1"),
            with("a content-length with a sign", "content-length", "+0"),
            only("no method", ":scheme", "http", ":path", "/bad", ":authority", "catalog"),
            only("no path", ":method", "GET", ":scheme", "http", ":authority", "catalog"),
            only("no scheme", ":method", "GET", ":path", "/bad", ":authority", "catalog"),
            only("an empty path", ":method", "GET", ":scheme", "http", ":path", "", ":authority", "catalog"),
            only(
                    "two paths",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":path",
                    "/admin",
                    ":authority",
                    "catalog"),
            only(
                    "two methods",
                    ":method",
                    "GET",
                    ":method",
                    "PUT",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only(
                    "a path with a line end",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad HTTP/1.1\r\nx: y",
                    ":authority",
                    "catalog"),
            only(
                    "a path with a space",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad x",
                    ":authority",
                    "catalog"),
            only(
                    "a path with a fragment",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad#x",
                    ":authority",
                    "catalog"),
            only("a relative path", ":method", "GET", ":scheme", "http", ":path", "bad", ":authority", "catalog"),
            only(
                    "a method that is no token",
                    ":method",
                    "G T",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only(
                    "an authority with a user",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "a@catalog"),
            only("no authority and no host", ":method", "GET", ":scheme", "http", ":path", "/bad"),
            only("an encoded NUL", ":method", "GET", ":scheme", "http", ":path", "/bad%00", ":authority", "catalog"),
            only("CONNECT", ":method", "CONNECT", ":authority", "catalog:80"));

    @TestFactory
    Stream<DynamicTest> refusesMalformedRequestsWithoutAWordToTheApplication() {
        return Stream.of(Entrance.values())
                .flatMap(entrance -> MALFORMED.stream()
                        .map(request -> DynamicTest.dynamicTest(entrance + ": " + request.name(), () -> {
                            int before = origin.ended().size();
                            try (RawHttp2 connection = entrance.connect()) {
                                // When
                                connection.headers(1, true, request.fields());
                                // Then
                                assertThat(connection.await(
                                                BOUND,
                                                frame -> frame.type() == GOAWAY
                                                        || (frame.stream() == 1
                                                                && (frame.type() == RST_STREAM
                                                                        || frame.type() == HEADERS))))
                                        .isTrue();
                                assertThat(connection.frames())
                                        .noneMatch(
                                                frame -> frame.type() == HEADERS && frame.stream() == 1 && isOk(frame));
                            }
                            assertThat(origin.ended()).hasSize(before);
                            assertServes(entrance);
                        })));
    }

    @Test
    void neverEndsARequestWhoseDataIsNotAsLongAsItSaid() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            for (int length : new int[] {1, 3}) {
                try (RawHttp2 connection = entrance.connect()) {
                    List<Field> fields = new ArrayList<>(RawHttp2.get("/length"));
                    fields.add(new Field("content-length", String.valueOf(length)));
                    connection.headers(1, false, fields);
                    connection.frame(DATA, END_STREAM, 1, new byte[2]);
                    assertThat(connection.await(
                                    BOUND,
                                    frame -> frame.type() == GOAWAY
                                            || frame.type() == RST_STREAM
                                            || frame.type() == HEADERS))
                            .isTrue();
                    assertThat(connection.frames()).noneMatch(Http2AttackTest::isOk);
                }
            }
        }
        assertThat(origin.ended()).doesNotContain("/length");
    }

    @Test
    void neverBelievesTrailersThatLookLikeAHead() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            try (RawHttp2 connection = entrance.connect()) {
                connection.headers(1, false, RawHttp2.get("/trailers"));
                connection.headers(1, true, List.of(new Field(":path", "/admin")));
                assertThat(connection.await(
                                BOUND,
                                frame -> frame.type() == GOAWAY
                                        || frame.type() == RST_STREAM
                                        || frame.type() == HEADERS))
                        .isTrue();
                assertThat(connection.frames()).noneMatch(Http2AttackTest::isOk);
            }
        }
        assertThat(origin.ended()).doesNotContain("/trailers", "/admin");
    }

    @Test
    void holdsNoMoreStreamsOpenThanItSaid() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            try (RawHttp2 connection = entrance.connect()) {
                for (int i = 0; i < 150; i++) {
                    connection.headers(1 + 2 * i, false, RawHttp2.get("/open-" + entrance));
                }
                assertThat(connection.await(BOUND, frame -> frame.type() == RST_STREAM || frame.type() == GOAWAY))
                        .isTrue();
            }
            assertThat(origin.heads("/open-" + entrance)).hasSizeLessThanOrEqualTo(100);
            assertServes(entrance);
        }
    }

    @Test
    void answersAFieldThatIsTooLargeOnItsOwnStream() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            try (RawHttp2 connection = entrance.connect()) {
                byte[] block = RawHttp2.block(Stream.concat(
                                RawHttp2.get("/large").stream(),
                                Stream.of(
                                        new Field("x-a", "b".repeat(12_000)),
                                        new Field("x-b", "b".repeat(12_000)),
                                        new Field("x-c", "b".repeat(12_000))))
                        .toList());
                for (int from = 0; from < block.length; from += 16_000) {
                    boolean last = from + 16_000 >= block.length;
                    connection.frame(
                            from == 0 ? HEADERS : CONTINUATION,
                            (last ? END_HEADERS : 0) | (from == 0 ? END_STREAM : 0),
                            1,
                            Arrays.copyOfRange(block, from, Math.min(block.length, from + 16_000)));
                }
                assertThat(connection.await(BOUND, frame -> frame.stream() == 1 || frame.type() == GOAWAY))
                        .isTrue();
                assertThat(connection.frames()).noneMatch(Http2AttackTest::isOk);
            }
            assertServes(entrance);
        }
        assertThat(origin.heads("/large")).isEmpty();
    }

    @Test
    void aStrangerWithoutACertificateOfTheMeshSaysNothingAtAll() {
        try (RawHttp2 connection = RawHttp2.over(MeshTls.dial(
                mesh.inboundPort(),
                Optional.of(AUTHORITY_OF_NOBODY.leaf(AUTHORITY_OF_NOBODY.identity("shop", "web"))),
                "h2"))) {
            connection.headers(1, true, RawHttp2.get("/stranger"));
            assertThat(connection.awaitClose(BOUND)).isTrue();
        } catch (IOException e) {
            // Refused in the handshake already.
        }
        assertThat(origin.heads("/stranger")).isEmpty();
    }

    private static void assertServes(Entrance entrance) throws IOException {
        try (RawHttp2 connection = entrance.connect()) {
            connection.headers(1, true, RawHttp2.get("/well"));
            assertThat(connection.await(BOUND, frame -> frame.type() == DATA && frame.stream() == 1))
                    .isTrue();
            assertThat(connection.frames()).anyMatch(Http2AttackTest::isOk);
        }
    }

    /** An answer's head that begins with {@code :status: 200}, from the static table or as it stands. */
    private static boolean isOk(RawHttp2.Frame frame) {
        return frame.type() == HEADERS
                && (frame.payload().startsWith("\u0088") || frame.payload().contains("200"));
    }
}
