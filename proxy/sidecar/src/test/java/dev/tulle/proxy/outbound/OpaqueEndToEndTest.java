package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Opaque bytes through two sidecars, and how they are told from HTTP. */
@Timeout(30)
class OpaqueEndToEndTest {
    private final TestMesh mesh = new TestMesh();

    @AfterEach
    void close() {
        mesh.close();
    }

    private Wire through(RawOrigin origin, Protocol protocol, InboundPolicy policy) {
        var server = mesh.server("reviews", protocol, origin.address(), policy);
        return new Wire(mesh.clientOf(server, protocol).dialOutbound());
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            names = {"TCP", "DETECT"})
    void carriesBytesBothWaysAndTheEndOfEachSideByItself(Protocol protocol) throws Exception {
        CompletableFuture<String> seen = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
                    seen.complete(connection.readAll());
                    connection.send("after your end");
                });
                Wire wire = through(origin, protocol, InboundPolicy.OPEN)) {
            wire.send("SET key value\n").endOutput();
            assertThat(seen.get(10, TimeUnit.SECONDS)).isEqualTo("SET key value\n");
            assertThat(wire.readAll()).isEqualTo("after your end");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            names = {"TCP", "DETECT"})
    void letsAServerSpeakFirst(Protocol protocol) {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.send("220 ready\r\n");
                    connection.send("you said " + connection.readThrough("\n"));
                });
                Wire wire = through(origin, protocol, InboundPolicy.OPEN)) {
            assertThat(wire.readThrough("\n")).isEqualTo("220 ready\r\n");
            wire.send("GET / HTTP/1.1\n");
            assertThat(wire.readAll()).isEqualTo("you said GET / HTTP/1.1\n");
        }
    }

    /** A socket that ends may leave its number to the next one before the event loop has forgotten it. */
    @Test
    void servesConnectionsThatBeginAsOthersEnd() {
        try (RawOrigin origin = new RawOrigin(connection -> connection.send(connection.read(5)))) {
            var server = mesh.server("reviews", Protocol.TCP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.TCP);
            for (int i = 0; i < 300; i++) {
                try (Wire wire = new Wire(client.dialOutbound())) {
                    assertThat(wire.send("hello").read(5))
                            .as("connection %d", i)
                            .isEqualTo("hello");
                }
            }
        }
    }

    @Test
    void letsAServerSpeakFirstToAPlainTextCaller() {
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.send("220 ready\r\n");
            connection.readAll();
        })) {
            var server = mesh.server("reviews", Protocol.DETECT, origin.address(), InboundPolicy.OPEN);
            for (int i = 0; i < 2; i++) {
                try (Wire wire = new Wire(server.dialInbound())) {
                    assertThat(wire.readThrough("\n")).isEqualTo("220 ready\r\n");
                }
            }
        }
    }

    @Test
    void takesHttpOfAClientThatWaitedForHttp() throws Exception {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin, Protocol.DETECT, InboundPolicy.OPEN)) {
            Thread.sleep(200);
            wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(wire.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(wire.readHead()).contains("x-forwarded-client-cert: ");
        }
    }

    @Test
    void closesADeniedConnectionBeforeTheApplicationSeesIt() {
        try (RawOrigin origin = new RawOrigin(connection -> connection.send("secret"));
                Wire wire = through(origin, Protocol.TCP, InboundPolicy.NOBODY)) {
            wire.send("anything");
            assertThat(wire.readAll()).isEmpty();
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void closesAnOpenConnectionThatANewPolicyForbids() {
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.send("hello");
            connection.readAll();
        })) {
            var server = mesh.server("reviews", Protocol.TCP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.TCP).dialOutbound())) {
                assertThat(wire.read(5)).isEqualTo("hello");
                server.policy(InboundPolicy.NOBODY);
                assertThat(wire.readAll()).isEmpty();
            }
        }
    }

    @Test
    void judgesTheRequestsInBytesThatAPeerCallsOpaqueOnAnHttpPort() {
        InboundPolicy httpOnly = new InboundPolicy(
                InboundPolicy.Access.CLOSED,
                InboundPolicy.Unmeshed.DENY,
                false,
                List.of(new Grant(
                        "shop/only-get",
                        List.of(TestMesh.identity("web")),
                        Optional.empty(),
                        Optional.of(List.of(new HttpMatch("r/get", Optional.empty(), List.of("GET"), List.of()))))));
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), httpOnly);
            // Given a client that takes the port for opaque, so that its HTTP goes by tulle-tcp.
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.TCP).dialOutbound())) {
                wire.send("POST /forbidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                assertThat(wire.readAll()).startsWith("HTTP/1.1 403 ");
            }
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void passesTheApplicationsOwnTlsThroughUntouched() {
        byte[] hello = ClientHellos.offering("h2", "http/1.1");
        CompletableFuture<String> seen = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
            seen.complete(connection.read(hello.length));
            connection.send("server hello");
        })) {
            var server = mesh.server("reviews", Protocol.DETECT, origin.address(), InboundPolicy.OPEN);
            try (Wire plain = new Wire(server.dialInbound())) {
                plain.send(hello);
                assertThat(plain.read(12)).isEqualTo("server hello");
                assertThat(seen.join()).isEqualTo(new String(hello, java.nio.charset.StandardCharsets.ISO_8859_1));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            names = {"TCP", "DETECT"})
    void notesTheServerNameOfTlsThatPasses(Protocol protocol) {
        byte[] hello = ClientHellos.offering("h2");
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.read(hello.length);
            connection.send("server hello");
        })) {
            var server = mesh.server("reviews", protocol, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, protocol);
            try (Wire wire = new Wire(client.dialOutbound())) {
                wire.send(Arrays.copyOf(hello, 40));
                wire.send(Arrays.copyOfRange(hello, 40, hello.length));
                assertThat(wire.read(12)).isEqualTo("server hello");
            }
            String noted = "\"name\":\"shop.example\",\"connections\":1}],\"others\":0}";
            assertThat(client.meters.serverNames().json())
                    .startsWith("{\"serverNames\":[{\"direction\":\"outbound\",\"at\":\"svc:shop/reviews:")
                    .endsWith(noted);
            assertThat(server.meters.serverNames().json())
                    .startsWith("{\"serverNames\":[{\"direction\":\"inbound\",\"at\":\"")
                    .endsWith(noted);
        }
    }

    @Test
    void endsWhatIsNotHttpOnADeclaredPort() {
        try (RawOrigin origin = RawOrigin.echoingHeads();
                Wire wire = through(origin, Protocol.HTTP, InboundPolicy.OPEN)) {
            wire.send("SET key value\r\n\r\n");
            assertThat(wire.readAll()).isEmpty();
            assertThat(origin.connections()).isEmpty();
        }
    }

    @Test
    void tellsHttpThatNothingIsKnownOfTheDestination() {
        var client = mesh.client(
                "web",
                new dev.tulle.proxy.model.Destination.NotInMesh(
                        new DestinationKey.ServicePort("shop", "reviews", TestMesh.PORT)));
        try (Wire wire = new Wire(client.dialOutbound())) {
            assertThat(wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead())
                    .startsWith("HTTP/1.1 503 ")
                    .contains("x-tulle-reason: unknown-destination\r\n");
        }
        try (Wire wire = new Wire(client.dialOutbound())) {
            assertThat(wire.send("SET key value\n").readAll()).isEmpty();
        }
    }
}
