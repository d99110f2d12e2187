package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HTTP/2 and gRPC-like streams through two sidecars; what the application received decides. */
@Timeout(30)
class Http2EndToEndTest {
    private static String text(Http2Headers headers, String name) {
        CharSequence value = headers.get(name);
        return value == null ? "" : value.toString();
    }

    @Test
    void carriesARequestAndTellsTheApplicationWhoCalls() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    Http2Headers head = stream.head();
                    stream.headers(false, ":status", "200", "x-seen", text(head, "x-forwarded-client-cert"))
                            .data(text(head, ":path"), true);
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                H2.Stream stream = h2.get("/a//b/./c?q=1");
                Http2Headers head = stream.head();
                assertThat(text(head, ":status")).isEqualTo("200");
                assertThat(text(head, "x-seen"))
                        .isEqualTo("By=spiffe://cluster.local/ns/shop/sa/reviews;URI="
                                + "spiffe://cluster.local/ns/shop/sa/web");
                assertThat(stream.body()).isEqualTo("/a/b/c?q=1");
            }
        }
    }

    @Test
    void carriesManyStreamsAtOnceEachWithItsOwnBytesAndTrailers() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    Http2Headers head = stream.head();
                    stream.headers(false, ":status", "200", "content-type", "application/grpc");
                    while (true) {
                        H2.Seen next = stream.next();
                        if (next instanceof H2.Seen.Data data) {
                            stream.data(data.text(), false);
                            if (data.end()) {
                                break;
                            }
                        }
                    }
                    stream.headers(true, "grpc-status", "0", "x-path", text(head, ":path"));
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.GRPC, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.GRPC);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                List<H2.Stream> streams = new ArrayList<>();
                for (int i = 0; i < 50; i++) {
                    streams.add(h2.post("/s/" + i, "content-type", "application/grpc", "te", "trailers"));
                }
                for (int i = 0; i < 50; i++) {
                    streams.get(i).data("message-" + i, false);
                }
                for (int i = 0; i < 50; i++) {
                    H2.Stream stream = streams.get(i);
                    assertThat(text(stream.head(), "content-type")).isEqualTo("application/grpc");
                    assertThat(((H2.Seen.Data) stream.next()).text()).isEqualTo("message-" + i);
                    stream.data("", true);
                    stream.body();
                    assertThat(text(stream.trailers(), "grpc-status")).isEqualTo("0");
                    assertThat(text(stream.trailers(), "x-path")).isEqualTo("/s/" + i);
                }
            }
            assertThat(origin.failures).isEmpty();
            assertThat(origin.connections).hasSize(1);
        }
    }

    @Test
    void answersADeniedGrpcCallWithTrailersOnly() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> stream.head());
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.GRPC, origin.address(), InboundPolicy.NOBODY);
            var client = mesh.clientOf(server, Protocol.GRPC);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                H2.Stream stream = h2.post("/s/m", "content-type", "application/grpc", "te", "trailers");
                H2.Seen.Head head = (H2.Seen.Head) stream.next();
                assertThat(head.end()).isTrue();
                assertThat(text(head.headers(), ":status")).isEqualTo("200");
                assertThat(text(head.headers(), "grpc-status")).isEqualTo("7");
                assertThat(text(head.headers(), "x-tulle-reason")).isNotEmpty();
            }
            assertThat(origin.connections).isEmpty();
        }
    }

    @Test
    void endsAGrpcStreamWhoseApplicationVanishedWithAStatus() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    stream.head();
                    stream.headers(false, ":status", "200", "content-type", "application/grpc");
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.GRPC, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.GRPC);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                H2.Stream stream = h2.post("/s/m", "content-type", "application/grpc", "te", "trailers");
                assertThat(text(stream.head(), ":status")).isEqualTo("200");
                origin.connections.getFirst().close();
                H2.Seen.Head trailers = (H2.Seen.Head) stream.next();
                assertThat(trailers.end()).isTrue();
                assertThat(text(trailers.headers(), "grpc-status")).isEqualTo("14");
                assertThat(text(trailers.headers(), "x-tulle-reason")).isEqualTo("upstream-reset");
            }
        }
    }

    @Test
    void passesTheClientsCancelOnToTheApplication() throws Exception {
        var reset = new java.util.concurrent.CompletableFuture<H2.Seen>();
        try (H2.Origin origin = new H2.Origin(stream -> {
                    stream.head();
                    stream.headers(false, ":status", "200");
                    reset.complete(stream.next());
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                H2.Stream stream = h2.post("/");
                stream.head();
                stream.reset(8);
                assertThat(reset.get(10, java.util.concurrent.TimeUnit.SECONDS)).isEqualTo(new H2.Seen.Reset(8));
            }
        }
    }

    @Test
    void passesTheApplicationsResetOnToTheClient() throws Exception {
        try (H2.Origin origin = new H2.Origin(stream -> {
                    stream.head();
                    stream.headers(false, ":status", "200").data("half", false);
                    stream.reset(11);
                });
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            try (H2.Client h2 = new H2.Client(client.outboundPort())) {
                H2.Stream stream = h2.get("/");
                stream.head();
                H2.Seen next = stream.next();
                if (next instanceof H2.Seen.Data) {
                    next = stream.next();
                }
                assertThat(next).isEqualTo(new H2.Seen.Reset(11));
            }
        }
    }
}
