package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HTTP/2 peers that break the rules, floods, slow readers, and the end of connections. */
@Timeout(60)
class Http2DefenceTest {
    private static final long PROTOCOL_ERROR = 1;
    private static final long ENHANCE_YOUR_CALM = 11;

    private final TestMesh mesh = new TestMesh();

    @AfterEach
    void close() {
        mesh.close();
    }

    private TestMesh.Side server(H2.Origin origin) {
        return mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
    }

    private static H2.Origin ok() throws Exception {
        return new H2.Origin(stream -> {
            stream.head();
            stream.headers(true, ":status", "200");
        });
    }

    /** The connection is over; what it was told, if that was not lost to its own flood, is why. */
    private static void assertCalmed(H2.Client h2) {
        await().atMost(Duration.ofSeconds(10)).until(() -> !h2.channel().isActive());
        assertThat(h2.goAways).isSubsetOf(ENHANCE_YOUR_CALM);
    }

    @Test
    void resetsRequestsThatAreMalformed() throws Exception {
        String[][] malformed = {
            {":method", "GET", ":scheme", "http", ":path", "/"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", ""},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "nopath"},
            {":method", "GET", ":scheme", "ftp", ":authority", "a", ":path", "/"},
            {":method", "GET", ":scheme", "http", ":authority", "u@a", ":path", "/"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a b"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a#b"},
            {":method", "G T", ":scheme", "http", ":authority", "a", ":path", "/"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "host", "b"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "connection", "close"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "transfer-encoding", "chunked"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "te", "gzip"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x", "a\r\nb: c"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x y", "a"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "content-length", "3"},
            {":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", ":path", "/b"},
        };
        try (H2.Origin origin = ok()) {
            var server = server(origin);
            try (H2.Client h2 = new H2.Client(server.inboundPort())) {
                for (String[] head : malformed) {
                    H2.Seen seen = h2.open().headers(true, head).next();
                    assertThat(seen).as(String.join(" ", head)).isEqualTo(new H2.Seen.Reset(PROTOCOL_ERROR));
                }
            }
            assertThat(origin.connections).isEmpty();
        }
    }

    @Test
    void resetsABodyThatIsNotAsLongAsItSays() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> stream.head())) {
            try (H2.Client h2 = new H2.Client(server(origin).inboundPort())) {
                H2.Stream stream = h2.post("/", "content-length", "3").data("four", true);
                assertThat(stream.next()).isEqualTo(new H2.Seen.Reset(PROTOCOL_ERROR));
            }
        }
    }

    @Test
    void refusesConnect() throws Exception {
        try (H2.Origin origin = ok();
                H2.Client h2 = new H2.Client(server(origin).inboundPort())) {
            H2.Stream stream = h2.open().headers(true, ":method", "CONNECT", ":authority", "a:443");
            H2.Seen seen = stream.next();
            assertThat(seen instanceof H2.Seen.Reset
                            || (seen instanceof H2.Seen.Head head
                                    && "405".contentEquals(head.headers().status())))
                    .isTrue();
            assertThat(origin.connections).isEmpty();
        }
    }

    @Test
    void endsAConnectionThatResetsAllItsStreams() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> stream.head());
                H2.Client h2 = new H2.Client(server(origin).inboundPort())) {
            for (int i = 0; i < 300 && h2.channel().isActive() && h2.goAways.isEmpty(); i++) {
                try {
                    h2.get("/").reset(8);
                } catch (IllegalStateException e) {
                    break;
                }
            }
            assertCalmed(h2);
        }
    }

    @Test
    void endsAConnectionThatMakesUsResetAllItsStreams() throws Exception {
        try (H2.Origin origin = ok();
                H2.Client h2 = new H2.Client(server(origin).inboundPort())) {
            for (int i = 0; i < 300 && h2.channel().isActive() && h2.goAways.isEmpty(); i++) {
                try {
                    // One at a time: beyond what may be open at once the client would send nothing.
                    h2.open()
                            .headers(true, ":method", "GET", ":scheme", "http", ":path", "/")
                            .next();
                } catch (IllegalStateException e) {
                    break;
                }
            }
            assertCalmed(h2);
        }
    }

    @Test
    void endsAConnectionThatPingsWithoutEnd() throws Exception {
        try (H2.Origin origin = ok();
                H2.Client h2 = new H2.Client(server(origin).inboundPort())) {
            for (int i = 0; i < 1500; i++) {
                h2.channel().write(new DefaultHttp2PingFrame(i));
            }
            h2.channel().flush();
            assertCalmed(h2);
        }
    }

    @Test
    void passesBodiesLargerThanAllWindowsBothWays() throws Exception {
        int size = 2 << 20;
        try (H2.Origin origin = new H2.Origin(stream -> {
            stream.head();
            stream.headers(false, ":status", "200");
            String body = stream.body();
            stream.data(body, true);
        })) {
            var server = server(origin);
            try (H2.Client h2 =
                    new H2.Client(mesh.clientOf(server, Protocol.HTTP).outboundPort())) {
                H2.Stream stream = h2.post("/");
                for (int sent = 0; sent < size; sent += 16384) {
                    stream.data("x".repeat(16384), sent + 16384 >= size);
                }
                stream.head();
                assertThat(stream.body()).hasSize(size);
            }
        }
    }

    @Test
    void passesEverythingToAClientThatStopsReadingForAWhile() throws Exception {
        int size = 2 << 20;
        try (H2.Origin origin = new H2.Origin(stream -> {
            stream.head();
            stream.headers(false, ":status", "200");
            for (int sent = 0; sent < size; sent += 16384) {
                stream.data("x".repeat(16384), sent + 16384 >= size);
            }
        })) {
            var server = server(origin);
            try (H2.Client h2 =
                    new H2.Client(mesh.clientOf(server, Protocol.HTTP).outboundPort())) {
                H2.Stream stream = h2.get("/large");
                stream.head();
                h2.channel().config().setAutoRead(false);
                Thread.sleep(500);
                h2.channel().config().setAutoRead(true);
                assertThat(stream.body()).hasSize(size);
            }
        }
    }

    @Test
    void servesStreamsUnderWayWhenDrainedAndTellsTheClientToGo() throws Exception {
        CompletableFuture<Void> mayAnswer = new CompletableFuture<>();
        CompletableFuture<Void> reached = new CompletableFuture<>();
        try (H2.Origin origin = new H2.Origin(stream -> {
            stream.head();
            reached.complete(null);
            mayAnswer.join();
            stream.headers(false, ":status", "200").data("done", true);
        })) {
            var server = server(origin);
            try (H2.Client h2 = new H2.Client(server.inboundPort())) {
                H2.Stream stream = h2.get("/");
                reached.get(10, TimeUnit.SECONDS);
                var drained = server.inbound.drain(Duration.ofSeconds(20)).toCompletableFuture();
                await().atMost(Duration.ofSeconds(10)).until(() -> !h2.goAways.isEmpty());
                mayAnswer.complete(null);
                stream.head();
                assertThat(stream.body()).isEqualTo("done");
                drained.get(15, TimeUnit.SECONDS);
                assertThat(h2.goAways).containsOnly(0L);
            }
        }
    }

    @Test
    void opensAnotherConnectionWhenTheServerSaysGoAway() throws Exception {
        try (H2.Origin origin = ok()) {
            var server = server(origin);
            try (H2.Client h2 =
                    new H2.Client(mesh.clientOf(server, Protocol.HTTP).outboundPort())) {
                assertThat(h2.get("/").head().status()).hasToString("200");
                origin.connections.forEach(connection -> connection.close());
                for (int i = 0; i < 5; i++) {
                    assertThat(h2.get("/").head().status()).hasToString("200");
                }
            }
        }
    }
}
