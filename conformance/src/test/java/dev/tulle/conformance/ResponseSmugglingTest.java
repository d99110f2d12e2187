package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;

    @BeforeAll
    static void start() {
        origin = new RecordingOrigin(request -> {
            String answer = ANSWERS.get(request.target());
            return answer == null ? RecordingOrigin.ok(request.target()) : RecordingOrigin.bytes(answer);
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
            new Case("nothing", ""));

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
                    assertThat(said.status()).as(said.text()).isEqualTo(502);
                    assertThat(said.text()).containsIgnoringCase("x-tulle-reason: ");
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
                                "many interim answers",
                                "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)
                                        + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    // Given
                    String target = "/extra-" + one.name().replace(' ', '-');
                    ANSWERS.put(target, one.answer());
                    // When
                    Said said = get(target);
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
