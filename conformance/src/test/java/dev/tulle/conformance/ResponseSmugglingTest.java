package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.conformance.mesh.Listening;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Answers of a broken or hostile application: a failed answer is a 502 or a cut, and never somebody else's answer. */
class ResponseSmugglingTest {
    private static final Duration BOUND = Duration.ofSeconds(5);
    private static final Map<String, String> ANSWERS = new ConcurrentHashMap<>();

    /** Within an answer: what follows is sent a moment later. */
    private static final String LATER = "\u0001later\u0001";

    /** Targets whose answer has been sent to its end. */
    private static final Set<String> LATER_SENT = ConcurrentHashMap.newKeySet();

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;

    @BeforeAll
    static void start() {
        origin = RecordingOrigin.answering((request, out) -> {
            String answer = ANSWERS.get(request.target());
            if (answer == null) {
                out.write(RecordingOrigin.ok(request.target()));
                return true;
            }
            String[] pieces = answer.split(LATER, -1);
            for (int i = 0; i < pieces.length; i++) {
                if (i > 0) {
                    Thread.sleep(100);
                }
                out.write(RecordingOrigin.bytes(pieces[i]));
            }
            LATER_SENT.add(request.target());
            return !answer.isEmpty() && !answer.contains("\r\nconnection: close\r\n");
        });
        mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        origin.close();
    }

    private record Case(String name, String answer) {}

    /** Nothing of these may reach the caller as a good answer. */
    private static final List<Case> BROKEN = List.of(
            new Case(
                    "content-length and transfer-encoding",
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            new Case("two content-lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nokokx"),
            new Case("an odd content-length", "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok"),
            new Case("an odd transfer-encoding", "HTTP/1.1 200 OK\r\ntransfer-encoding: cow\r\n\r\nok"),
            new Case("a folded line", "HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a space before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok"),
            new Case("a NUL in a value", "HTTP/1.1 200 OK\r\nx-a: b\u0000\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a bare CR in a value", "HTTP/1.1 200 OK\r\nx-a: b\rc\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a status of two digits", "HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a status of four digits", "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a status that is no number", "HTTP/1.1 2xx OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("another version", "HTTP/3.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            new Case(
                    "101 without being asked",
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"),
            new Case("101 fields", "HTTP/1.1 200 OK\r\n" + "x-a: b\r\n".repeat(101) + "content-length: 2\r\n\r\nok"),
            new Case(
                    "a field of 40 KiB",
                    "HTTP/1.1 200 OK\r\nx-a: " + "b".repeat(40 * 1024) + "\r\ncontent-length: 2\r\n\r\nok"),
            broken("two equal content-lengths", "content-length: 2\r\ncontent-length: 2\r\n\r\nok"),
            broken("a list of content-lengths", "content-length: 2, 2\r\n\r\nok"),
            broken("an empty content-length", "content-length:\r\n\r\nok"),
            broken("a negative content-length", "content-length: -1\r\n\r\nok"),
            broken("a content-length beyond a long", "content-length: 99999999999999999999\r\n\r\nok"),
            broken(
                    "a content-length of zero and chunks",
                    "content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            broken("chunked twice", "transfer-encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            broken(
                    "two transfer-encodings",
                    "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            broken("gzip before chunked", "transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            broken("identity", "transfer-encoding: identity\r\n\r\nok"),
            broken("a vertical tab in transfer-encoding", "transfer-encoding: \u000bchunked\r\n\r\n0\r\n\r\n"),
            broken("a bare LF in a value", "x-a: b\ncontent-length: 2\r\n\r\nok"),
            broken("an empty name", ": b\r\ncontent-length: 2\r\n\r\nok"),
            broken("a line without colon", "nonsense\r\ncontent-length: 2\r\n\r\nok"),
            broken("a name beyond ASCII", "x-\u00e4: b\r\ncontent-length: 2\r\n\r\nok"),
            broken("a control character in a name", "x\u0001: b\r\ncontent-length: 2\r\n\r\nok"),
            broken(
                    "a Connection that names Content-Length",
                    "connection: content-length\r\ncontent-length: 2\r\n\r\nok"),
            new Case(
                    "chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            new Case("only bare LFs", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
            new Case("a version of HTTP/2", "HTTP/2 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a version in lower case", "http/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("two spaces before the status", "HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("no space behind the status", "HTTP/1.1 200OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a status below 100", "HTTP/1.1 099 No\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a status above 599", "HTTP/1.1 600 No\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a NUL in the reason", "HTTP/1.1 200 O\u0000K\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a CR in the reason", "HTTP/1.1 200 O\rK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("a page without a head", "<html>ok</html>\r\n\r\n"),
            new Case("a request for an answer", "GET / HTTP/1.1\r\nhost: web\r\n\r\n"),
            new Case(
                    "1,000 interim answers",
                    "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000) + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case(
                    "101 to another protocol",
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
            new Case(
                    "an interim answer with a content-length",
                    "HTTP/1.1 103 Early Hints\r\ncontent-length: 44\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"),
            new Case(
                    "an interim answer with chunks",
                    "HTTP/1.1 100 Continue\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            new Case("half a head", "HTTP/1.1 200 OK\r\nconnection: close\r\n"),
            new Case("an empty line before the answer", "\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
            new Case("nothing", ""));

    private static Case broken(String name, String fieldsAndBody) {
        return new Case(name, "HTTP/1.1 200 OK\r\n" + fieldsAndBody);
    }

    @TestFactory
    Stream<DynamicTest> turnsABrokenAnswerIntoA502() {
        return BROKEN.stream()
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    // Given
                    String target = "/" + one.name().replace(' ', '-');
                    ANSWERS.put(target, one.answer());
                    // When
                    Said said = get(target);
                    // Then
                    assertThat(said.text())
                            .containsOnlyOnce("HTTP/1.1 502 ")
                            .containsIgnoringCase("x-tulle-reason: ")
                            .doesNotContain("HTTP/1.1 200 ", "stolen");
                    assertServesOthers();
                }));
    }

    @TestFactory
    Stream<DynamicTest> cutsAnAnswerWhoseBodyIsCut() {
        return Stream.of(
                        new Case(
                                "less than its content-length",
                                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nok"),
                        new Case(
                                "no last chunk",
                                "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"),
                        new Case(
                                "a chunk size that overflows",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n10000000000000000\r\n"),
                        new Case(
                                "a chunk longer than its size",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokok\r\n0\r\n\r\n"),
                        new Case(
                                "an LF behind a chunk size",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\n\r\n"),
                        new Case(
                                "a trailer with a bare CR",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-a: b\rc\r\n\r\n"),
                        new Case(
                                "33 trailers",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
                                        + "x-a: b\r\n".repeat(33) + "\r\n"),
                        new Case(
                                "a last chunk without its empty line",
                                "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"),
                        new Case(
                                "an odd chunk size",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0x0\r\n\r\n"))
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    // Given
                    String target = "/cut-" + one.name().replace(' ', '-');
                    ANSWERS.put(target, one.answer());
                    // When
                    Said said = get(target);
                    // Then
                    assertThat(said.closed()).isTrue();
                    assertThat(said.text()).doesNotEndWith("\r\n0\r\n\r\n").doesNotContain("content-length: 2\r\n");
                    assertServesOthers();
                }));
    }

    @TestFactory
    Stream<DynamicTest> givesNobodyTheRestOfSomebodyElsesAnswer() {
        String stray = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen";
        return Stream.of(
                        new Case(
                                "two answers to one request", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + stray),
                        new Case("a body on 204", "HTTP/1.1 204 No Content\r\n\r\n" + stray),
                        new Case("a body on 304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 6\r\n\r\nstolen"),
                        new Case(
                                "a body on 204 that comes later",
                                "HTTP/1.1 204 No Content\r\ncontent-length: 44\r\n\r\n" + LATER + stray),
                        new Case(
                                "chunks on 204 that come later",
                                "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n" + LATER + "2c\r\n"
                                        + stray + "\r\n0\r\n\r\n"),
                        new Case(
                                "chunks on 304 that come later",
                                "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n" + LATER + "2c\r\n"
                                        + stray + "\r\n0\r\n\r\n"),
                        new Case(
                                "a second answer that comes later",
                                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + LATER + stray),
                        new Case(
                                "an interim answer behind the final one",
                                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + LATER
                                        + "HTTP/1.1 100 Continue\r\n\r\n" + stray),
                        new Case(
                                "half an answer that comes later",
                                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + LATER
                                        + "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nx-a: "),
                        new Case(
                                "a body behind its length that comes later",
                                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + LATER + "stolen"),
                        new Case(
                                "an answer behind the last chunk",
                                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + stray),
                        new Case("a body on 205", "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n" + stray),
                        new Case(
                                "an answer behind a length of zero",
                                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + stray),
                        new Case(
                                "many interim answers",
                                "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)
                                        + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    // Given
                    String target = "/extra-" + one.name().replace(' ', '-');
                    ANSWERS.put(target, one.answer());
                    // When
                    Said said = get(target);
                    await().atMost(BOUND).until(() -> LATER_SENT.contains(target));
                    // Then
                    assertThat(said.text()).doesNotContain("stolen");
                    for (int i = 0; i < 3; i++) {
                        assertServesOthers();
                    }
                }));
    }

    @Test
    void anAnswerToHeadHasNoBodyWhateverItsLengthSays() throws IOException {
        // Given
        ANSWERS.put("/head", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        // When
        Said said = exchange(
                "HEAD /head HTTP/1.1\r\nhost: catalog\r\n\r\nGET /next HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
        // Then
        assertThat(said.answers()).as(said.text()).isEqualTo(2);
        assertThat(said.text()).containsIgnoringCase("content-length: 1000\r\n").endsWith("\r\n\r\n/next");
    }

    @Test
    void theBodyOfAnAnswerToHeadIsNobodysAnswer() throws IOException {
        for (String later : List.of("", LATER)) {
            // Given
            ANSWERS.put(
                    "/head-with-body",
                    "HTTP/1.1 200 OK\r\ncontent-length: 45\r\n\r\n" + later
                            + "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen");
            // When
            Said said = exchange("HEAD /head-with-body HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            // Then
            assertThat(said.text()).endsWith("\r\n\r\n");
            for (int i = 0; i < 3; i++) {
                assertServesOthers();
            }
        }
    }

    @Test
    void saysNothingOfItsOwnHopAndKeepsEverythingElse() throws IOException {
        // Given
        ANSWERS.put(
                "/hop",
                "HTTP/1.1 200 Fine\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nproxy-connection: x\r\n"
                        + "set-cookie: a=1\r\nset-cookie: b=2\r\nx-a: \u00e4\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok");
        // When
        Said said = get("/hop");
        // Then
        assertThat(said.text().toLowerCase(Locale.ROOT))
                .contains("set-cookie: a=1\r\n", "set-cookie: b=2\r\n", "x-a: \u00e4\r\n", "content-length: 2\r\n")
                .doesNotContain("x-hop", "keep-alive", "proxy-connection", "h2c")
                .endsWith("\r\n\r\nok");
    }

    @Test
    void anEarlyAnswerStopsTheUploadAndSpoilsNobody() throws IOException {
        try (Listening hasty = new Listening((socket, number) -> {
                    RecordingOrigin.readHead(socket.getInputStream());
                    socket.getOutputStream().write(RecordingOrigin.ok("enough"));
                    // What still comes is read as if it were the next request.
                    RecordingOrigin.readHead(socket.getInputStream());
                    socket.getOutputStream().write(RecordingOrigin.ok("stolen"));
                });
                SidecarPair other = SidecarPair.open(
                        Files.createDirectories(folder.resolve("hasty")), Protocol.HTTP, hasty.port())) {
            for (int i = 0; i < 3; i++) {
                try (RawConnection connection = RawConnection.to(other.outboundPort())) {
                    connection.send("POST /upload HTTP/1.1\r\nhost: catalog\r\ncontent-length: 100000\r\n\r\n");
                    connection.send("GET /smuggled HTTP/1.1\r\nhost: catalog\r\n\r\n");
                    Said said = connection.readToEnd(BOUND);
                    assertThat(said.answers()).as(said.text()).isEqualTo(1);
                    assertThat(said.text()).endsWith("enough");
                    assertThat(said.closed()).isTrue();
                }
            }
        }
    }

    private static void assertServesOthers() throws IOException {
        assertThat(get("/other").text()).endsWith("\r\n\r\n/other");
    }

    private static Said get(String target) throws IOException {
        return exchange("GET " + target + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
    }

    private static Said exchange(String bytes) throws IOException {
        try (RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            connection.send(bytes);
            return connection.readToEnd(BOUND);
        }
    }
}
