package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.Http2Origin;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Callers who look for a spelling that a rule allows and the application reads otherwise. The workload grants {@code GET} of what
 * begins with {@code /public/}, of {@code /tea} to whoever says {@code x-token: leaf}, of {@code /named} at the host {@code catalog},
 * and nothing else.
 */
class RequestRulesTest {
    private static final Duration BOUND = Duration.ofSeconds(10);

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;
    private static Http2Origin http2Origin;
    private static SidecarPair http2Mesh;

    @BeforeAll
    static void start() throws IOException {
        origin = new RecordingOrigin();
        mesh = SidecarPair.withPolicy(
                Files.createDirectories(folder.resolve("one")), Protocol.HTTP, origin.port(), policy());
        http2Origin = new Http2Origin();
        http2Mesh = SidecarPair.withPolicy(
                Files.createDirectories(folder.resolve("two")), Protocol.HTTP, http2Origin.port(), policy());
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        if (http2Mesh != null) {
            http2Mesh.close();
        }
        origin.close();
        http2Origin.close();
    }

    private static InboundPolicy policy() {
        return new InboundPolicy(
                InboundPolicy.Access.CLOSED,
                InboundPolicy.Unmeshed.DENY,
                false,
                List.of(new Grant(
                        "shop/public",
                        List.of(new SpiffeId("cluster.local", "shop", "web")),
                        Optional.empty(),
                        Optional.of(List.of(
                                new HttpMatch(
                                        "r/public",
                                        Optional.of(new HttpMatch.PathPattern("/public/", false)),
                                        List.of("GET"),
                                        List.of()),
                                new HttpMatch(
                                        "r/tea",
                                        Optional.of(new HttpMatch.PathPattern("/tea", true)),
                                        List.of("GET"),
                                        List.of(new HttpMatch.HeaderPattern("x-token", "leaf"))),
                                new HttpMatch(
                                        "r/named",
                                        Optional.of(new HttpMatch.PathPattern("/named", true)),
                                        List.of("GET"),
                                        List.of(new HttpMatch.HeaderPattern("host", "catalog"))),
                                new HttpMatch(
                                        "r/broken",
                                        Optional.of(new HttpMatch.PathPattern("/broken(", false)),
                                        List.of("GET"),
                                        List.of()))))));
    }

    /** Targets that must not get past {@code /public/}; each is refused. */
    private static final List<String> TARGETS = List.of(
            "/admin",
            "/PUBLIC/../admin",
            "/public",
            "/Public/a",
            "/publicity",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/public/.%2E/admin",
            "/public/..%2fadmin",
            "/public/..%2Fadmin",
            "/public%2f..%2fadmin",
            "/public/%2e%2e%2fadmin",
            "/public/..%5cadmin",
            "/public/..\\admin",
            "/public\\..\\admin",
            "/public/..;/admin",
            "/public/..;a=b/admin",
            "/public/.;/../admin",
            "/public/..%3b/admin",
            "/public/..%3B%2fadmin",
            "/public/%252e%252e/admin",
            "/public/%252e%252e%252fadmin",
            "/public/%25252e%25252e/admin",
            "/public/..%252fadmin",
            "/public/..%255cadmin",
            "/public/%c0%ae%c0%ae/admin",
            "/public/%e0%80%ae%e0%80%ae/admin",
            "/public/%f0%80%80%ae/admin",
            "/public/..%c0%afadmin",
            "/public/%u002e%u002e/admin",
            "/public/%u002e%u002e%u2215admin",
            "/public/%%32%65%%32%65/admin",
            "/public/%2%65%2%65/admin",
            "/public/..%00/admin",
            "/public/%00../admin",
            "/public/..%0d/admin",
            "/public/..%09/admin",
            "/public/..%0a/admin",
            "/public/..%7f/admin",
            "/public/../public/../admin",
            "/public/./../admin",
            "/public/.//../../admin",
            "/public//../admin",
            "/public//../../admin",
            "//public/../admin",
            "//admin",
            "///admin",
            "/./admin",
            "/.//admin",
            "/../admin",
            "/a/../admin",
            "/admin/../admin",
            "/admin?/public/",
            "/admin?/../public/a",
            "/admin#/public/",
            "/admin/%23/../public/../admin",
            "/admin;/public/",
            "/admin;/../public/../admin",
            "/admin%3f/public/../../admin",
            "/public/..",
            "/public/../",
            "/public/%2e%2e",
            "/public/a/../../admin",
            "/public/a/..//..//admin",
            "/%70ublic/../admin",
            "/%61dmin",
            "/admin%20",
            "/admin/",
            "/admin/.",
            "/admin%2e",
            "/public%20/../admin",
            "http://catalog/admin",
            "http://catalog/public/../admin",
            "http://catalog/public/..%2fadmin",
            "http://public/../admin",
            "http://catalog",
            "https://catalog/admin",
            "/broken(",
            "/broken");

    private static final List<String> ALLOWED = List.of(
            "/public/",
            "/public/a",
            "/public/a?x=/../admin",
            "/%70ublic/a",
            "//public//a",
            "/x/../public/a",
            "/public/a%20b",
            "/public/a%2Cb",
            "http://catalog/public/a");

    @TestFactory
    Stream<DynamicTest> noSpellingReachesWhatIsNotGranted() {
        return TARGETS.stream()
                .map(target -> DynamicTest.dynamicTest(target, () -> {
                    // When
                    Said said = asWeb("GET " + target + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
                    // Then
                    assertThat(said.status()).as(said.text()).isIn(400, 403);
                    assertNothingElseArrived();
                }));
    }

    @TestFactory
    Stream<DynamicTest> noSpellingReachesWhatIsNotGrantedOverHttp2() {
        return TARGETS.stream()
                .filter(target -> target.startsWith("/"))
                .map(target -> DynamicTest.dynamicTest(target, () -> {
                    int before = http2Origin.heads().size();
                    try (RawHttp2 connection = RawHttp2.over(dial(http2Mesh, "h2"))) {
                        connection.headers(1, true, RawHttp2.get(target));
                        assertThat(connection.await(
                                        BOUND, frame -> frame.stream() == 1 || frame.type() == RawHttp2.GOAWAY))
                                .isTrue();
                    }
                    assertThat(http2Origin.heads()).hasSize(before);
                }));
    }

    @TestFactory
    Stream<DynamicTest> whatIsGrantedArrivesInThePlainestSpelling() {
        return ALLOWED.stream()
                .map(target -> DynamicTest.dynamicTest(target, () -> {
                    int before = origin.received().size();
                    Said said = asWeb("GET " + target + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
                    assertThat(said.status()).as(said.text()).isEqualTo(200);
                    assertThat(origin.received()).hasSize(before + 1);
                    assertNothingElseArrived();
                }));
    }

    private record Call(String name, String head, int status) {}

    private static final List<Call> CALLS = List.of(
            new Call("another method", "POST /public/a HTTP/1.1\r\nhost: catalog\r\ncontent-length: 0\r\n", 403),
            new Call("HEAD for GET", "HEAD /public/a HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("a method in lower case", "get /public/a HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("a method with one letter more", "GETS /public/a HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("an asterisk for a method", "* /public/a HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("OPTIONS of everything", "OPTIONS * HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call(
                    "a method that is said to be another",
                    "POST /public/a HTTP/1.1\r\nhost: catalog\r\nx-http-method-override: GET\r\nx-http-method: GET\r\nx-method-override: GET\r\ncontent-length: 0\r\n",
                    403),
            new Call(
                    "a path that is said to be another",
                    "GET /admin HTTP/1.1\r\nhost: catalog\r\nx-original-url: /public/a\r\nx-rewrite-url: /public/a\r\nx-envoy-original-path: /public/a\r\n",
                    403),
            new Call("tea with its leaf", "GET /tea HTTP/1.1\r\nhost: catalog\r\nX-Token: leaf\r\n", 200),
            new Call("tea without", "GET /tea HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("tea with an empty leaf", "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token:\r\n", 403),
            new Call(
                    "tea with two leaves",
                    "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: leaf\r\nx-token: leaf\r\n",
                    200),
            new Call(
                    "tea with a leaf and a stone",
                    "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: leaf\r\nx-token: stone\r\n",
                    403),
            new Call(
                    "tea with a stone and a leaf",
                    "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: stone\r\nX-TOKEN: leaf\r\n",
                    403),
            new Call(
                    "tea with both in one line", "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: leaf, stone\r\n", 403),
            new Call("tea with a longer leaf", "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: leaflet\r\n", 403),
            new Call("tea with a leaf in another case", "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: LEAF\r\n", 403),
            new Call("tea with a leaf in underscores", "GET /tea HTTP/1.1\r\nhost: catalog\r\nx_token: leaf\r\n", 403),
            new Call(
                    "tea with a leaf that is taken away",
                    "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: leaf\r\nconnection: x-token\r\n",
                    403),
            new Call(
                    "tea with a stone that is taken away",
                    "GET /tea HTTP/1.1\r\nhost: catalog\r\nx-token: stone\r\nconnection: x-token\r\n",
                    403),
            new Call("the host by name", "GET /named HTTP/1.1\r\nhost: catalog\r\n", 200),
            new Call("the host in capitals", "GET /named HTTP/1.1\r\nhost: CATALOG\r\n", 200),
            new Call("another host", "GET /named HTTP/1.1\r\nhost: admin\r\n", 403),
            new Call("another host in the target", "GET http://admin/named HTTP/1.1\r\nhost: catalog\r\n", 403),
            new Call("the host in the target", "GET http://catalog/named HTTP/1.1\r\nhost: admin\r\n", 200));

    @TestFactory
    Stream<DynamicTest> methodsAndFieldsAreWhatTheyAre() {
        return CALLS.stream()
                .map(call -> DynamicTest.dynamicTest(call.name(), () -> {
                    int before = origin.received().size();
                    Said said = asWeb(call.head()
                            + (call.head().contains("\r\nconnection:") ? "" : "connection: close\r\n") + "\r\n");
                    assertThat(said.status()).as(said.text()).isEqualTo(call.status());
                    assertThat(origin.received()).hasSize(before + (call.status() == 200 ? 1 : 0));
                }));
    }

    @Test
    void aTrailerNeverMakesUpForAField() throws IOException {
        int before = origin.received().size();
        Said said = asWeb(
                "GET /tea HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-token: leaf\r\n\r\n");
        assertThat(said.status()).as(said.text()).isEqualTo(403);
        assertThat(origin.received()).hasSize(before);
    }

    @Test
    void theBodyOfARefusedRequestIsNoRequest() throws IOException {
        int before = origin.received().size();
        for (String framing : List.of("content-length: 46\r\n\r\n", "transfer-encoding: chunked\r\n\r\n2e\r\n")) {
            Said said = asWeb("POST /admin HTTP/1.1\r\nhost: catalog\r\n" + framing
                    + "GET /public/smuggled HTTP/1.1\r\nhost: catalog\r\n\r\n");
            assertThat(said.answers()).as(said.text()).isEqualTo(1);
            assertThat(said.status()).isEqualTo(403);
        }
        assertThat(origin.received()).hasSize(before);
    }

    @Test
    void fieldsOverHttp2AreSeenAllOfThem() throws IOException {
        try (RawHttp2 connection = RawHttp2.over(dial(http2Mesh, "h2"))) {
            List<Field> both = new ArrayList<>(RawHttp2.get("/tea"));
            both.add(new Field("x-token", "leaf"));
            both.add(new Field("x-token", "stone"));
            connection.headers(1, true, both);
            assertThat(connection.await(BOUND, frame -> frame.stream() == 1)).isTrue();
        }
        assertThat(http2Origin.heads("/tea")).isEmpty();
    }

    private static void assertNothingElseArrived() {
        assertThat(origin.received()).allSatisfy(request -> {
            String target = request.target().toLowerCase(Locale.ROOT).split("\\?", 2)[0];
            assertThat(List.of("/public/", "/tea", "/named")).anyMatch(target::startsWith);
            assertThat(target).doesNotContain("..", "//", "\\", "%2e", "%2f", "%5c", "%00", "#", ";");
        });
    }

    private static Said asWeb(String bytes) throws IOException {
        try (RawConnection connection = RawConnection.over(dial(mesh, "http/1.1"))) {
            connection.send(bytes);
            return connection.readToEnd(BOUND);
        }
    }

    private static Socket dial(SidecarPair pair, String alpn) throws IOException {
        return MeshTls.dial(
                pair.inboundPort(),
                Optional.of(pair.authority().leaf(pair.authority().identity("shop", "web"))),
                alpn,
                "tulle-tcp");
    }
}
