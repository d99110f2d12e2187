package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import io.netty.channel.Channel;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import io.netty.handler.codec.http2.Http2Settings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What one caller does on an HTTP/2 connection must not spoil the connection that others share behind it. */
@Timeout(60)
class Http2FairnessTest {
    private static final Http2Settings MANY_STREAMS =
            Http2Settings.defaultSettings().maxConcurrentStreams(1000);
    private static final int CANCEL = 8;
    private static final int MAX_STREAMS = Limits.defaults().http2().maxConcurrentStreams();
    private static final int MAX_RESETS = Limits.defaults().http2().maxResets();

    /** Sends a head at once; then for {@code /hang} nothing, for {@code /full} as much as a stream may have, else a word. */
    private static H2.Origin origin() throws InterruptedException {
        return new H2.Origin(MANY_STREAMS, stream -> {
            String path = stream.head().path().toString();
            stream.headers(false, ":status", "200");
            switch (path) {
                case "/hang" -> stream.next();
                case "/wait" -> {
                    stream.next();
                    stream.data("word", true);
                }
                case "/full" ->
                    stream.data("x".repeat(Limits.defaults().http2().initialStreamWindowBytes()), false)
                            .next();
                default -> stream.data("word", true);
            }
        });
    }

    @Test
    void streamsThatNobodyReadsDoNotStopThoseOfOthers() throws Exception {
        try (H2.Origin origin = origin();
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            try (H2.Client greedy = new H2.Client(client.outboundPort(), new Http2Settings().initialWindowSize(0));
                    H2.Client other = new H2.Client(client.outboundPort())) {
                List<H2.Stream> stalled = new ArrayList<>();
                for (int i = 0; i < MAX_STREAMS - 5; i++) {
                    stalled.add(greedy.get("/full"));
                }
                for (H2.Stream stream : stalled) {
                    assertThat(stream.head().status()).hasToString("200");
                }
                for (int i = 0; i < 20; i++) {
                    H2.Stream stream = other.get("/");
                    stream.head();
                    assertThat(stream.body()).isEqualTo("word");
                }
            }
        }
    }

    @Test
    void anAnswerThatWasLeftUnreadGoesOnOnceItIsRead() throws Exception {
        String body = "x".repeat(3 * Limits.defaults().http2().initialStreamWindowBytes());
        try (H2.Origin origin = new H2.Origin(MANY_STREAMS, stream -> {
                    boolean large = stream.head().path().toString().equals("/large");
                    stream.headers(false, ":status", "200").data(large ? body : "word", true);
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                h2.widen(1 << 20);
                H2.Stream paused = h2.get("/large");
                paused.channel().config().setAutoRead(false);
                for (int i = 0; i < 20; i++) {
                    H2.Stream small = h2.get("/");
                    small.head();
                    assertThat(small.body()).isEqualTo("word");
                }
                paused.channel().config().setAutoRead(true);
                paused.head();
                assertThat(paused.body()).hasSize(body.length());
            }
        }
    }

    @Test
    void callersThatCancelDoNotEndTheConnectionTheyShareToTheApplication() throws Exception {
        try (H2.Origin origin = origin();
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (H2.Client patient = new H2.Client(server.inboundPort())) {
                H2.Stream waiting = patient.post("/wait");
                waiting.head();
                for (int caller = 0; caller < 3; caller++) {
                    try (H2.Client hasty = new H2.Client(server.inboundPort())) {
                        for (int i = 0; i < MAX_RESETS / 2; i++) {
                            H2.Stream stream = hasty.get("/hang");
                            stream.head();
                            stream.reset(CANCEL);
                        }
                        H2.Stream last = hasty.get("/");
                        last.head();
                        assertThat(last.body()).isEqualTo("word");
                        assertThat(hasty.goAways).isEmpty();
                    }
                }
                waiting.data("", true);
                assertThat(waiting.body()).isEqualTo("word");
                assertThat(patient.goAways).isEmpty();
            }
        }
    }

    @Test
    void aStreamThatEndsWellMakesUpForOneThatIsCancelled() throws Exception {
        try (H2.Origin origin = origin();
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (H2.Client client = new H2.Client(server.inboundPort())) {
                for (int i = 0; i < 2 * MAX_RESETS; i++) {
                    H2.Stream cancelled = client.get("/hang");
                    cancelled.head();
                    cancelled.reset(CANCEL);
                    H2.Stream whole = client.get("/");
                    whole.head();
                    assertThat(whole.body()).isEqualTo("word");
                }
                assertThat(client.goAways).isEmpty();
            }
        }
    }

    @Test
    void nothingButCancelledStreamsEndsTheConnection() throws Exception {
        try (H2.Origin origin = origin();
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (H2.Client client = new H2.Client(server.inboundPort())) {
                for (int i = 0; i <= MAX_RESETS && client.channel().isActive(); i++) {
                    H2.Stream cancelled = client.get("/hang");
                    if (!(cancelled.next() instanceof H2.Seen.Head)) {
                        break;
                    }
                    cancelled.reset(CANCEL);
                }
                client.channel().closeFuture().await(10_000);
                assertThat(client.goAways).contains(11L);
            }
        }
    }

    @Test
    void aPingForEveryPieceOfDataIsNoFlood() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    stream.head();
                    stream.headers(false, ":status", "200");
                    while (stream.next() instanceof H2.Seen.Data data) {
                        stream.data(data.text(), data.end());
                    }
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (H2.Client client = new H2.Client(server.inboundPort())) {
                Channel connection = client.channel();
                H2.Stream stream = client.post("/");
                stream.head();
                for (int i = 0; i < 3 * Limits.defaults().http2().maxControlFrames() / 2; i++) {
                    stream.data("a", false);
                    assertThat(stream.next()).isEqualTo(new H2.Seen.Data("a", false));
                    connection.writeAndFlush(new DefaultHttp2PingFrame(i));
                }
                stream.data("b", true);
                assertThat(stream.body()).isEqualTo("b");
                assertThat(client.goAways).isEmpty();
            }
        }
    }

    @Test
    void anApplicationThatOnlyInformsIsCutOff() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    stream.head();
                    for (int i = 0; i < 1000; i++) {
                        stream.headers(false, ":status", "103", "link", "</a.css>");
                    }
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (H2.Client client = new H2.Client(server.inboundPort())) {
                H2.Stream stream = client.get("/");
                int informed = 0;
                String status = stream.head().status().toString();
                while (status.equals("103")) {
                    informed++;
                    status = stream.head().status().toString();
                }
                assertThat(status).isEqualTo("502");
                assertThat(informed).isLessThan(20);
            }
        }
    }

    @Test
    void aClientThatNeverAcknowledgesOurSettingsHasNoMoreStreamsThanAnother() throws Exception {
        try (H2.Origin origin = new H2.Origin(MANY_STREAMS, stream -> {});
                TestMesh mesh = new TestMesh();
                Wire client = new Wire(mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN)
                        .dialInbound())) {
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").send(frame(4, 0, 0, ""));
            for (int i = 0; i < MAX_STREAMS + 50; i++) {
                // GET, http, path /, authority a. Source: RFC 7541, appendix A.
                client.send(frame(1, 5, 2 * i + 1, "\u0082\u0086\u0084\u0001\u0001a"));
            }
            client.send(frame(6, 0, 0, "pingpong"));
            int refused = 0;
            int type = 0;
            while (type != 6) {
                String head = client.read(9);
                type = head.charAt(3);
                client.read(head.charAt(0) << 16 | head.charAt(1) << 8 | head.charAt(2));
                refused += type == 3 ? 1 : 0;
            }
            assertThat(refused).isEqualTo(50);
        }
    }

    private static String frame(int type, int flags, int stream, String payload) {
        return new String(new char[] {
                    0,
                    0,
                    (char) payload.length(),
                    (char) type,
                    (char) flags,
                    0,
                    0,
                    (char) (stream >> 8),
                    (char) (stream & 0xff)
                })
                + payload;
    }
}
