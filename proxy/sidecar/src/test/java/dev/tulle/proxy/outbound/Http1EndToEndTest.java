package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.WeightedCluster;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HTTP/1.1 through two sidecars; what the application received decides. */
@Timeout(30)
@SuppressWarnings("StringConcatToTextBlock") // the bytes on the wire, CRLF and all, are the point
class Http1EndToEndTest {
    private final TestMesh mesh = new TestMesh();

    @AfterEach
    void close() {
        mesh.close();
    }

    /** The way from a client to an origin. */
    private Wire through(RawOrigin origin) {
        return through(origin, Protocol.HTTP);
    }

    private Wire through(RawOrigin origin, Protocol protocol) {
        var server = mesh.server("reviews", protocol, origin.address(), InboundPolicy.OPEN);
        return new Wire(mesh.clientOf(server, protocol).dialOutbound());
    }

    @Test
    void carriesARequestOverMutualTlsAndTellsTheApplicationWhoCalls() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin)) {
            wire.send("GET /a//b/./c?q=1 HTTP/1.1\r\nHost: Reviews:9080\r\n"
                    + "X-Forwarded-Client-Cert: URI=spiffe://forged\r\nX_Forwarded_Client_Cert: forged\r\n\r\n");
            assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(wire.readHead())
                    .startsWith("GET /a/b/c?q=1 HTTP/1.1\r\nhost: reviews:9080\r\n")
                    .contains("x-forwarded-client-cert: By=spiffe://cluster.local/ns/shop/sa/reviews;URI="
                            + "spiffe://cluster.local/ns/shop/sa/web\r\n")
                    .doesNotContain("forged");
        }
    }

    @Test
    void carriesRequestsOfADetectedPortAsHttp() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin, Protocol.DETECT)) {
            wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(wire.readHead()).contains("x-forwarded-client-cert: ");
        }
    }

    @Test
    void keepsConnectionsOnEveryHopAndAnswersPipelinedRequestsInOrder() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin)) {
            wire.send(
                    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
            for (int i = 1; i <= 3; i++) {
                assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("connection:");
                assertThat(wire.readHead()).startsWith("GET /" + i + " HTTP/1.1\r\n");
            }
            wire.send("GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            assertThat(wire.readHead()).contains("connection: close\r\n");
            assertThat(wire.readAll()).startsWith("GET /4 HTTP/1.1\r\n").doesNotContain("connection:");
            assertThat(origin.connections()).hasSize(1);
        }
    }

    @Test
    void writesChunksOfItsOwnAndDropsExtensionsAndUnaskedTrailers() {
        CompletableFuture<String> seen = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
                    String head = connection.readHead();
                    seen.complete(head + connection.readThrough("0\r\n\r\n"));
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                            + "3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
                    connection.readHead();
                });
                Wire wire = through(origin)) {
            wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "4;ext=1\r\nwiki\r\n5\r\npedia\r\n0\r\nX-T: 1\r\nContent-Length: 3\r\n\r\n");
            assertThat(wire.readHead()).contains("transfer-encoding: chunked\r\n");
            assertThat(wire.readThrough("0\r\n\r\n")).isEqualTo("3\r\nabc\r\n0\r\n\r\n");
            assertThat(seen.join())
                    .contains("transfer-encoding: chunked\r\n")
                    .endsWith("\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n");
        }
    }

    @Test
    void passesTrailersToClientsThatTakeThem() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nTransfer-Encoding: x\r\n\r\n");
                    connection.readHead();
                });
                Wire wire = through(origin)) {
            wire.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
                    .readHead();
            assertThat(wire.readHead()).isEqualTo("3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n");
        }
    }

    @Test
    void carriesExpectContinueFromEndToEnd() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
                    String body = connection.read(5);
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body);
                    connection.readHead();
                });
                Wire wire = through(origin)) {
            wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
            assertThat(wire.readHead()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            wire.send("hello");
            assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("connection: close");
            assertThat(wire.read(5)).isEqualTo("hello");
        }
    }

    @Test
    void givesNoBodyToHead204And304ButKeepsTheLengthThatGetWouldHave() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    if (connection.readHead().startsWith("HEAD ")) {
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                        return;
                    }
                    connection.send("HTTP/1.1 204 No Content\r\n\r\n");
                    connection.readHead();
                    connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: \"a\"\r\n\r\n");
                    connection.readHead();
                });
                Wire wire = through(origin)) {
            assertThat(wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .isEqualTo("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .isEqualTo("HTTP/1.1 204 No Content\r\n\r\n");
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .isEqualTo("HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 7\r\n\r\n");
            // A body that is named and may not come: an application that sends it would answer somebody else with it.
            assertThat(origin.connections()).hasSize(2);
        }
    }

    @Test
    void stopsAnUploadThatIsAnsweredEarly() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
                    connection.readAll();
                });
                Wire wire = through(origin)) {
            wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nbegin");
            assertThat(wire.readHead()).startsWith("HTTP/1.1 413 ").contains("connection: close\r\n");
            assertThat(wire.readAll()).isEmpty();
        }
    }

    @Test
    void switchesToWebSocketAndThenCarriesBytesBothWays() {
        CompletableFuture<String> seen = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
                    seen.complete(connection.readHead());
                    connection.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Accept: x\r\n\r\nfirst");
                    assertThat(connection.read(4)).isEqualTo("ping");
                    connection.send("pong");
                    connection.readAll();
                });
                Wire wire = through(origin)) {
            wire.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Key: k\r\n\r\n");
            assertThat(wire.readHead())
                    .startsWith("HTTP/1.1 101 Switching Protocols\r\n")
                    .contains("connection: upgrade\r\nupgrade: websocket\r\n", "sec-websocket-accept: x\r\n");
            assertThat(seen.join()).contains("connection: upgrade\r\nupgrade: websocket\r\n");
            assertThat(wire.read(5)).isEqualTo("first");
            wire.send("ping");
            assertThat(wire.read(4)).isEqualTo("pong");
            wire.endOutput();
            assertThat(wire.readAll()).isEmpty();
            await().untilAsserted(() -> assertThat(origin.failures()).isEmpty());
        }
    }

    @Test
    void neverForwardsOtherUpgradesNorHopByHopFields() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin)) {
            wire.send(
                            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, X-Mine\r\nUpgrade: h2c\r\n"
                                    + "HTTP2-Settings: AAA\r\nX-Mine: 1\r\nKeep-Alive: 3\r\nProxy-Connection: close\r\nTE: gzip\r\n\r\n")
                    .readHead();
            assertThat(wire.readHead())
                    .doesNotContain("upgrade", "http2-settings", "x-mine", "keep-alive", "proxy-connection", "te:");
        }
    }

    @Test
    void refusesASwitchOfProtocolsNobodyAskedFor() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send(
                            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
                    connection.readAll();
                });
                Wire wire = through(origin)) {
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 502 ")
                    .contains("x-tulle-reason: upstream-malformed\r\n");
        }
    }

    @Test
    void servesHttp10Clients() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    while (!connection.readHead().isEmpty()) {
                        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
                    }
                });
                Wire wire = through(origin)) {
            String answer = wire.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                    .readAll();
            assertThat(answer)
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("connection: close\r\n")
                    .doesNotContain("chunked")
                    .endsWith("\r\n\r\nabc");
        }
    }

    @Test
    void refusesWhatIsMalformedAndClosesWithoutTheApplicationSeeingIt() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin)) {
            wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(wire.readAll())
                    .startsWith("HTTP/1.1 400 ")
                    .contains("x-tulle-reason: malformed\r\n", "connection: close\r\n")
                    .doesNotContain("200 OK");
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void refusesPathsThatCanBeReadInTwoWays() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin)) {
            assertThat(wire.send("GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 400 ")
                    .contains("x-tulle-reason: encoded-separator\r\n");
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void repeatsAGetWhenTheApplicationClosedAReusedConnection() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    connection.readHead();
                    // Closes without an answer, as a server whose idle time has just run out.
                });
                Wire wire = through(origin)) {
            wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(wire.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 200 OK\r\n");
            assertThat(wire.send("POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
                            .readHead())
                    .startsWith("HTTP/1.1 502 ")
                    .contains("x-tulle-reason: upstream-reset\r\n");
        }
    }

    @Test
    void repeatsAGetWhenTheApplicationResetAReusedConnection() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    connection.readHead();
                    connection.socket().setSoLinger(true, 0);
                });
                Wire wire = through(origin)) {
            wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(wire.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 200 OK\r\n");
        }
    }

    @Test
    void saysThatItClosesBehindAnAnswerThatCameBeforeTheEndOfItsRequest() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
                    connection.readAll();
                });
                Wire wire = through(origin)) {
            assertThat(wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
                            .readHead())
                    .startsWith("HTTP/1.1 403 ")
                    .contains("connection: close\r\n");
            assertThat(wire.readAll()).isEqualTo("no");
        }
    }

    @Test
    void passesOnWhichUpgradeAnApplicationRequires() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n");
                    connection.readAll();
                });
                Wire wire = through(origin)) {
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 426 ")
                    .contains("upgrade: websocket\r\n", "connection: upgrade\r\n");
        }
    }

    @Test
    void cutsAnAnswerThatTheApplicationCut() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                });
                Wire wire = through(origin)) {
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .contains("content-length: 100\r\n");
            assertThat(wire.readAll().length()).isLessThan(100);
        }
    }

    @Test
    void neverReusesAConnectionOnWhichTheApplicationSaidTooMuch() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    String head = connection.readHead();
                    connection.send(
                            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
                    connection.readAll();
                    assertThat(head).isNotEmpty();
                });
                Wire wire = through(origin)) {
            for (int i = 0; i < 3; i++) {
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                assertThat(wire.read(2)).isEqualTo("ok");
            }
            assertThat(origin.connections()).hasSize(3);
        }
    }

    @Test
    void deniesWithAReasonAndJudgesEachRequestByThePolicyOfThatMoment() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.HTTP).dialOutbound())) {
                wire.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                wire.readHead();
                server.policy(InboundPolicy.NOBODY);
                String denied = wire.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                assertThat(denied).startsWith("HTTP/1.1 403 ").contains("x-tulle-reason: no-grant\r\n");
                assertThat(wire.readThrough("\n")).startsWith("tulle: ");
                server.policy(InboundPolicy.OPEN);
                assertThat(wire.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                        .startsWith("HTTP/1.1 200 ");
            }
        }
    }

    @Test
    void servesCallersInPlainTextAsCallersWithoutIdentity() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(server.dialInbound())) {
                wire.send("GET /1 HTTP/1.1\r\nHost: a\r\nX-Forwarded-Client-Cert: forged\r\n\r\n")
                        .readHead();
                assertThat(wire.readHead()).doesNotContain("x-forwarded-client-cert");
                server.policy(InboundPolicy.NOBODY);
                assertThat(wire.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                        .startsWith("HTTP/1.1 403 ");
            }
        }
    }

    @Test
    void triesAnotherEndpointWhenOneCannotBeReached() throws Exception {
        HostPort dead;
        try (ServerSocket closed = new ServerSocket(0)) {
            dead = new HostPort("127.0.0.1", closed.getLocalPort());
        }
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            Endpoint gone = new Endpoint(dead, "shop/gone", Optional.of(TestMesh.identity("reviews")), "");
            var client = mesh.client("web", TestMesh.service(Protocol.HTTP, gone, server.endpoint()));
            for (int i = 0; i < 10; i++) {
                try (Wire wire = new Wire(client.dialOutbound())) {
                    assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                            .startsWith("HTTP/1.1 200 ");
                }
            }
        }
    }

    @Test
    void sendsNothingToAnEndpointThatProvesAnotherIdentity() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = mesh.server("thief", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            Endpoint expected =
                    new Endpoint(server.inboundPort(), "shop/reviews-1", Optional.of(TestMesh.identity("reviews")), "");
            var client = mesh.client("web", TestMesh.service(Protocol.HTTP, expected));
            try (Wire wire = new Wire(client.dialOutbound())) {
                assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                        .startsWith("HTTP/1.1 503 ")
                        .contains("x-tulle-reason: wrong-identity\r\n");
            }
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void reachesAnEndpointOutsideTheMeshInPlainText() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            Endpoint plain = new Endpoint(origin.address(), "", Optional.empty(), "");
            var client = mesh.client("web", TestMesh.service(Protocol.HTTP, plain));
            try (Wire wire = new Wire(client.dialOutbound())) {
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                assertThat(wire.readHead()).startsWith("GET / HTTP/1.1\r\n");
            }
        }
    }

    @Test
    void sharesRequestsExactlyByWeight() {
        try (RawOrigin one = answering("one");
                RawOrigin two = answering("two")) {
            var first = mesh.server("v1", Protocol.HTTP, one.address(), InboundPolicy.OPEN);
            var second = mesh.server("v2", Protocol.HTTP, two.address(), InboundPolicy.OPEN);
            var client = mesh.client(
                    "web",
                    TestMesh.service(
                            Protocol.HTTP,
                            List.of(new Route(
                                    "shop/split",
                                    Optional.empty(),
                                    List.of(new WeightedCluster("shop/v1", 75), new WeightedCluster("shop/v2", 25)))),
                            List.of(
                                    new Cluster("shop/v1", List.of(first.endpoint())),
                                    new Cluster("shop/v2", List.of(second.endpoint())))));
            Map<String, Integer> seen = new TreeMap<>();
            try (Wire wire = new Wire(client.dialOutbound())) {
                for (int i = 0; i < 40; i++) {
                    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                    seen.merge(wire.read(3), 1, Integer::sum);
                }
            }
            assertThat(seen).isEqualTo(Map.of("one", 30, "two", 10));
        }
    }

    @Test
    void followsAChangedRouteOnAConnectionThatIsKept() {
        try (RawOrigin one = answering("one");
                RawOrigin two = answering("two")) {
            var first = mesh.server("v1", Protocol.HTTP, one.address(), InboundPolicy.OPEN);
            var second = mesh.server("v2", Protocol.HTTP, two.address(), InboundPolicy.OPEN);
            var client = mesh.client("web", TestMesh.service(Protocol.HTTP, first.endpoint()));
            try (Wire wire = new Wire(client.dialOutbound())) {
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                assertThat(wire.read(3)).isEqualTo("one");
                // The same version: what is kept of a table must not go by it.
                client.configure(config -> new ProxyConfig(
                        config.version(),
                        config.workload(),
                        List.of(TestMesh.service(Protocol.HTTP, second.endpoint())),
                        config.trust()));
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                assertThat(wire.read(3)).isEqualTo("two");
                client.configure(
                        config -> new ProxyConfig(config.version(), config.workload(), List.of(), config.trust()));
                assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                        .startsWith("HTTP/1.1 503 ");
            }
        }
    }

    private static RawOrigin answering(String text) {
        return new RawOrigin(connection -> {
            while (!connection.readHead().isEmpty()) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + text.length() + "\r\n\r\n" + text);
            }
        });
    }

    @Test
    void answers503WhenNoBackendHasAnEndpoint() {
        var client = mesh.client("web", TestMesh.service(Protocol.HTTP));
        try (Wire wire = new Wire(client.dialOutbound())) {
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 503 ")
                    .contains("x-tulle-reason: no-endpoint\r\n");
        }
    }

    @Test
    void closesTheApplicationsConnectionWhenTheClientGoesAway() throws Exception {
        CompletableFuture<String> ended = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
                    ended.complete(connection.readAll());
                });
                Wire wire = through(origin)) {
            wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(wire.read(5)).isEqualTo("begin");
            wire.hangUp();
            assertThat(ended.get(10, TimeUnit.SECONDS)).isEmpty();
        }
    }

    @Test
    void finishesWhatIsInFlightAndThenClosesWhenDrained() throws Exception {
        CompletableFuture<Void> mayAnswer = new CompletableFuture<>();
        CompletableFuture<Void> reached = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.readHead();
            reached.complete(null);
            mayAnswer.join();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            connection.readAll();
        })) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(server.dialInbound())) {
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                reached.get(10, TimeUnit.SECONDS);
                var drained = server.inbound.drain(Duration.ofSeconds(10)).toCompletableFuture();
                // The connection hears of the drain on its loop.
                server.plane.loops().getFirst().submit(() -> {}).get(10, TimeUnit.SECONDS);
                mayAnswer.complete(null);
                assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n").contains("connection: close\r\n");
                assertThat(wire.readAll()).isEqualTo("ok");
                drained.get(10, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void reportsAPortThatIsTakenAndOpensTheOthers() throws Exception {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                ServerSocket taken = new ServerSocket(0)) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            HostPort busy = new HostPort("127.0.0.1", taken.getLocalPort());
            List<String> problems = server.configure(config -> withPort(config, busy));
            assertThat(problems).hasSize(1).first().asString().contains(busy.toString());
            try (Wire wire = new Wire(server.dialInbound())) {
                assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                        .startsWith("HTTP/1.1 200 ");
            }
        }
    }

    private static ProxyConfig withPort(ProxyConfig config, HostPort listen) {
        var old = config.workload();
        var port = old.inbound().getFirst();
        var more = new java.util.ArrayList<>(old.inbound());
        more.add(new dev.tulle.proxy.model.InboundPort(
                "more", 9999, List.of(), Protocol.HTTP, Optional.of(listen), port.application()));
        return new ProxyConfig(
                config.version() + 1,
                new dev.tulle.proxy.model.WorkloadConfig(
                        old.workload(),
                        old.owner(),
                        old.identity(),
                        more,
                        old.outbound(),
                        old.policy(),
                        old.meshNetworks(),
                        old.healthCheck()),
                config.destinations(),
                config.trust());
    }
}
