package dev.tulle.conformance;

import static dev.tulle.conformance.mesh.RawHttp2.ACK;
import static dev.tulle.conformance.mesh.RawHttp2.CONTINUATION;
import static dev.tulle.conformance.mesh.RawHttp2.DATA;
import static dev.tulle.conformance.mesh.RawHttp2.END_HEADERS;
import static dev.tulle.conformance.mesh.RawHttp2.END_STREAM;
import static dev.tulle.conformance.mesh.RawHttp2.ENHANCE_YOUR_CALM;
import static dev.tulle.conformance.mesh.RawHttp2.GOAWAY;
import static dev.tulle.conformance.mesh.RawHttp2.HEADERS;
import static dev.tulle.conformance.mesh.RawHttp2.PADDED;
import static dev.tulle.conformance.mesh.RawHttp2.PING;
import static dev.tulle.conformance.mesh.RawHttp2.PRIORITY;
import static dev.tulle.conformance.mesh.RawHttp2.PUSH_PROMISE;
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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
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
            List.of("/held", "/unread", "/rapid", "/made", "/overflow", "/empty", "/continued", "/grown");

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
            new Flood("data that is nothing but padding", (connection, round) -> {
                if (round == 0) {
                    connection.headers(1, false, RawHttp2.get("/empty"));
                }
                connection.frame(DATA, PADDED, 1, new byte[1]);
            }),
            new Flood(
                    "settings of thousands of values",
                    (connection, round) ->
                            connection.frame(SETTINGS, 0, 0, repeated(RawHttp2.setting(4, 70_000), 2_700))),
            new Flood("streams whose answer is held and that are reset", (connection, round) -> {
                connection.headers(1 + 2 * round, true, RawHttp2.get("/held"));
                connection.frame(RST_STREAM, 0, 1 + 2 * round, RawHttp2.number(8));
            }),
            new Flood(
                    "more streams than are allowed",
                    (connection, round) -> connection.headers(1 + 2 * round, false, RawHttp2.get("/held"))),
            new Flood("data behind its end", (connection, round) -> {
                connection.headers(1 + 2 * round, true, RawHttp2.get("/held"));
                connection.frame(DATA, 0, 1 + 2 * round, new byte[1]);
            }),
            new Flood("goodbyes", (connection, round) -> connection.frame(7, 0, 0, new byte[8])),
            new Flood(
                    "acknowledged pings nobody sent",
                    (connection, round) -> connection.frame(PING, ACK, 0, new byte[8])),
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

    private static byte[] repeated(byte[] bytes, int times) {
        ByteBuffer all = ByteBuffer.allocate(bytes.length * times);
        for (int i = 0; i < times; i++) {
            all.put(bytes);
        }
        return all.array();
    }

    private record Broken(String name, int type, int flags, int stream, String hex) {}

    private static Broken block(String name, String hex) {
        return new Broken(name, HEADERS, END_HEADERS | END_STREAM, 1, hex);
    }

    /** Frames that end a connection, whatever else is under way on it. Source: RFC 9113, 4 to 6; RFC 7541. */
    private static final List<Broken> BROKEN = List.of(
            block("a header index of zero", "80"),
            block("a header index beyond the tables", "ff7f"),
            block("a header index of many bytes", "ffffffffffffffffffff7f"),
            block("a header index that becomes negative", "ff80ffffff0f"),
            block("a table larger than allowed", "3fe21f"),
            block("a new size of the table behind a field", "8220"),
            block("a string longer than its block", "007f2061"),
            block("a string of two gigabytes", "007f80ffffff07"),
            block("a name without a value", "000161"),
            block("a literal with an index beyond the tables", "7f7f0161"),
            block("an end of string in Huffman's code", "0084ffffffff0161"),
            block("padding of eight bits in Huffman's code", "00821fff0161"),
            block("padding of zeros in Huffman's code", "0081180161"),
            new Broken("headers of no stream", HEADERS, END_HEADERS, 0, "82"),
            new Broken("headers of an even stream", HEADERS, END_HEADERS, 2, "82"),
            new Broken("headers with more padding than payload", HEADERS, END_HEADERS | PADDED, 1, "0982"),
            new Broken("padded headers without a byte", HEADERS, END_HEADERS | PADDED, 1, ""),
            new Broken("data of no stream", DATA, 0, 0, "01"),
            new Broken("data of a stream nobody opened", DATA, 0, 5, "01"),
            new Broken("data with more padding than payload", DATA, PADDED, 1, "0900"),
            new Broken("a continuation of nothing", CONTINUATION, END_HEADERS, 1, "82"),
            new Broken("a window of a stream nobody opened", WINDOW_UPDATE, 0, 5, "00000001"),
            new Broken("a window opened by nothing", WINDOW_UPDATE, 0, 0, "00000000"),
            new Broken("a window that overflows", WINDOW_UPDATE, 0, 0, "7fffffff"),
            new Broken("a window of three bytes", WINDOW_UPDATE, 0, 0, "000001"),
            new Broken("a reset of a stream nobody opened", RST_STREAM, 0, 5, "00000008"),
            new Broken("a reset of the connection", RST_STREAM, 0, 0, "00000008"),
            new Broken("a promise", PUSH_PROMISE, END_HEADERS, 1, "0000000282"),
            new Broken("a ping of seven bytes", PING, 0, 0, "00000000000000"),
            new Broken("a ping of a stream", PING, 0, 1, "0000000000000000"),
            new Broken("settings of a stream", SETTINGS, 0, 1, ""),
            new Broken("settings of five bytes", SETTINGS, 0, 0, "0004000000"),
            new Broken("an acknowledgement with settings", SETTINGS, ACK, 0, "000400000001"),
            new Broken("push that is neither on nor off", SETTINGS, 0, 0, "000200000002"),
            new Broken("a window of settings that is too large", SETTINGS, 0, 0, "000480000000"),
            new Broken("frames that are too small", SETTINGS, 0, 0, "000500003fff"),
            new Broken("frames that are too large", SETTINGS, 0, 0, "000501000000"),
            new Broken("a goodbye of a stream", GOAWAY, 0, 1, "0000000000000000"),
            new Broken("a goodbye of four bytes", GOAWAY, 0, 0, "00000000"));

    @TestFactory
    Stream<DynamicTest> endsAConnectionWhoseFramesAreBroken() {
        return Stream.of(Entrance.values())
                .flatMap(entrance -> BROKEN.stream()
                        .map(broken -> DynamicTest.dynamicTest(entrance + ": " + broken.name(), () -> {
                            int before = origin.ended().size();
                            try (RawHttp2 connection = entrance.connect()) {
                                byte[] payload = HexFormat.of().parseHex(broken.hex());
                                // When
                                connection.frame(broken.type(), broken.flags(), broken.stream(), payload);
                                // Then
                                assertThat(connection.awaitClose(BOUND)).isTrue();
                                assertThat(connection.frames())
                                        .anySatisfy(frame ->
                                                assertThat(frame.type()).isEqualTo(GOAWAY))
                                        .noneMatch(Http2AttackTest::isOk);
                            }
                            assertThat(origin.ended()).hasSize(before);
                        })));
    }

    @Test
    void aSmallBlockThatBecomesAHugeHeadIsRefusedWithoutBeingBuilt() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            try (RawHttp2 connection = entrance.connect()) {
                ByteBuffer bomb = ByteBuffer.allocate(16_000);
                bomb.put(RawHttp2.block(RawHttp2.get("/bomb")));
                // A field of 3,900 bytes goes into the table, and is then named by a byte each time.
                bomb.put(new byte[] {0x40, 3, 'x', '-', 'a', 0x7f, (byte) 0xbd, 0x1d});
                bomb.put("b".repeat(127 + 0x3d + (0x1d << 7)).getBytes(StandardCharsets.US_ASCII));
                while (bomb.hasRemaining()) {
                    bomb.put((byte) 0xbe);
                }
                connection.frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb.array());
                for (int i = 1; i < 100; i++) {
                    connection.frame(
                            HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, repeated(new byte[] {(byte) 0xbe}, 16_000));
                }
                assertThat(connection.await(
                                BOUND, frame -> frame.stream() == 199 || frame.type() == GOAWAY || connection.closed()))
                        .isTrue();
                assertThat(connection.frames()).noneMatch(Http2AttackTest::isOk);
            }
            assertServes(entrance);
        }
        assertThat(origin.heads("/bomb")).isEmpty();
        assertUnhurt();
    }

    @Test
    void answersThatNobodyTakesStopAtTheirSourceAndStopNobodyElse() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            List<RawHttp2> deaf = new ArrayList<>();
            try {
                for (int i = 0; i < 10; i++) {
                    RawHttp2 connection = entrance.connect();
                    deaf.add(connection);
                    connection.frame(SETTINGS, 0, 0, RawHttp2.setting(4, 0));
                    for (int j = 0; j < 90; j++) {
                        connection.headers(1 + 2 * j, true, RawHttp2.get("/big-" + entrance));
                    }
                }
                for (RawHttp2 connection : deaf) {
                    assertThat(connection.await(BOUND, Http2AttackTest::isOk)).isTrue();
                }
                assertServes(entrance);
            } finally {
                for (RawHttp2 connection : deaf) {
                    connection.close();
                }
            }
        }
        assertUnhurt();
    }

    @Test
    void uploadsThatNobodyReadsStopAtTheirSourceAndStopNobodyElse() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            List<RawHttp2> loud = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    RawHttp2 connection = entrance.connect();
                    loud.add(connection);
                    try {
                        for (int j = 0; j < 90 && !connection.closed(); j++) {
                            connection.headers(1 + 2 * j, false, RawHttp2.get("/unread"));
                            for (int k = 0; k < 4; k++) {
                                connection.frame(DATA, 0, 1 + 2 * j, new byte[16_000]);
                            }
                        }
                    } catch (IOException e) {
                        // Sent away: more than the windows allowed.
                    }
                }
                assertServes(entrance);
            } finally {
                for (RawHttp2 connection : loud) {
                    connection.close();
                }
            }
        }
        assertUnhurt();
    }

    @Test
    void bytesThatComeOneByOneCostNoMoreThanBytes() throws IOException {
        for (Entrance entrance : Entrance.values()) {
            List<RawHttp2> drops = new ArrayList<>();
            try {
                for (int i = 0; i < 5; i++) {
                    RawHttp2 connection = entrance.connect();
                    drops.add(connection);
                    connection.headers(1, false, RawHttp2.get("/unread"));
                    byte[] frame = {0, 0, 1, 0, 0, 0, 0, 0, 1, 'x'};
                    try {
                        connection.raw(repeated(frame, 60_000));
                    } catch (IOException e) {
                        // Sent away.
                    }
                }
                assertServes(entrance);
            } finally {
                for (RawHttp2 connection : drops) {
                    connection.close();
                }
            }
        }
        assertUnhurt();
    }

    /** No proxy ran out of anything; their heaps are 64 MiB each. */
    private static void assertUnhurt() {
        for (SidecarPair.Sidecar sidecar : List.of(mesh.client(), mesh.server())) {
            assertThat(sidecar.program().isAlive()).isTrue();
            assertThat(sidecar.program().log()).doesNotContain("OutOfMemory", "OutOfDirectMemory", "LEAK", "Exception");
            assertThat(sidecar.program().residentBytes()).isLessThan(400L << 20);
        }
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
            with("te in capitals", "te", "Trailers"),
            with("te with a second coding", "te", "trailers, gzip"),
            with("an upgrade of settings", "http2-settings", "AAMAAABk"),
            with("white space before a value", "x-a", " b"),
            with("white space behind a value", "x-a", "b\t"),
            with("a DEL in a value", "x-a", "b\u007f"),
            with("a bare LF in a value", "x-a", "b\nc"),
            with("a bare CR in a value", "x-a", "b\rc"),
            with("a NUL in a name", "x\u0000a", "b"),
            with("a name beyond ASCII", "x-\u00e4", "b"),
            with("a name in brackets", "x(a)", "b"),
            with("a chunked body in an old name", "transfer-encoding ", "chunked"),
            with("a content-length in hexadecimal", "content-length", "0x0"),
            with("an empty content-length", "content-length", ""),
            with("a negative content-length", "content-length", "-1"),
            with("a content-length beyond a long", "content-length", "99999999999999999999"),
            with("the protocol of an extended CONNECT", ":protocol", "websocket"),
            with("the scheme again", ":scheme", "http"),
            with("the host with a path", "host", "catalog/admin"),
            only(
                    "a scheme nobody speaks",
                    ":method",
                    "GET",
                    ":scheme",
                    "ftp",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only(
                    "a scheme with a host",
                    ":method",
                    "GET",
                    ":scheme",
                    "http://admin/?",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only("an empty scheme", ":method", "GET", ":scheme", "", ":path", "/bad", ":authority", "catalog"),
            only(
                    "an absolute path",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "http://admin/bad",
                    ":authority",
                    "catalog"),
            only("an asterisk for a path", ":method", "GET", ":scheme", "http", ":path", "*", ":authority", "catalog"),
            only(
                    "a path with a backslash",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad\\..\\x",
                    ":authority",
                    "catalog"),
            only(
                    "a path beyond ASCII",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/b\u00e4d",
                    ":authority",
                    "catalog"),
            only(
                    "a method with a line end",
                    ":method",
                    "GET /admin HTTP/1.1\r\nx: y\r\n\r\nGET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only("an empty method", ":method", "", ":scheme", "http", ":path", "/bad", ":authority", "catalog"),
            only("TRACE", ":method", "TRACE", ":scheme", "http", ":path", "/bad", ":authority", "catalog"),
            only(
                    "an authority with a line end",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog\r\nx: y"),
            only(
                    "an authority with a path",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog/x"),
            only(
                    "an authority with an odd port",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog:99999"),
            only("an empty authority", ":method", "GET", ":scheme", "http", ":path", "/bad", ":authority", ""),
            only(
                    "two authorities",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog",
                    ":authority",
                    "catalog"),
            only(
                    "two hosts",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    "host",
                    "catalog",
                    "host",
                    "catalog"),
            only(
                    "a field before the pseudo-headers",
                    "x-a",
                    "b",
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/bad",
                    ":authority",
                    "catalog"),
            only("nothing at all"),
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
