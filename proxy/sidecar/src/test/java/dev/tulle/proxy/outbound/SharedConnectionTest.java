package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests of HTTP/1.1 share a connection between two sidecars, and nobody notices. */
@Timeout(30)
@SuppressWarnings("StringConcatToTextBlock") // the bytes on the wire, CRLF and all, are the point
class SharedConnectionTest {
    private static final String END = "\r\n\r\n";

    private final TestMesh mesh = new TestMesh();

    @BeforeAll
    static void watchForLeaks() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    @AfterEach
    void close() {
        mesh.close();
    }

    /** A client's and a server's sidecar in front of an origin. */
    private final class Way {
        final TestMesh.Side server;
        final TestMesh.Side client;

        Way(RawOrigin origin) {
            server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            client = mesh.clientOf(server, Protocol.HTTP);
        }

        Wire caller() {
            return new Wire(client.dialOutbound());
        }

        long connectionsBetween() {
            return server.meters.openConnections();
        }
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: a" + END;
    }

    @Test
    void carriesTheRequestsOfAllCallersOverOneConnection() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            Way way = new Way(origin);
            try (Wire one = way.caller();
                    Wire other = way.caller()) {
                for (int i = 0; i < 3; i++) {
                    one.send(get("/one/" + i));
                    other.send("POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 0" + END);
                    assertThat(one.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                    assertThat(one.readHead()).startsWith("GET /one/" + i + " HTTP/1.1\r\nhost: a\r\n");
                    assertThat(other.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                    assertThat(other.readHead())
                            .startsWith("POST /other HTTP/1.1\r\nhost: a\r\n")
                            .contains("content-length: 0\r\n");
                }
                assertThat(way.connectionsBetween()).isEqualTo(1);
            }
        }
    }

    @Test
    void carriesShortBodiesAndTellsTheirLength() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    assertThat(connection.readHead()).contains("content-length: 5\r\n");
                    String body = connection.read(5);
                    connection.send("HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX_Odd: \u00e4" + END + body);
                    connection.readHead();
                });
                Wire wire = new Way(origin).caller()) {
            wire.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5" + END + "hello");
            assertThat(wire.readHead())
                    .startsWith("HTTP/1.1 201 Created\r\n")
                    .contains("content-length: 5\r\n", "x_odd: \u00e4\r\n");
            assertThat(wire.read(5)).isEqualTo("hello");
            assertThat(origin.failures()).isEmpty();
        }
    }

    @Test
    void leavesTheOthersAloneWhenOneCallerGoesAway() throws Exception {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        try (RawOrigin origin = new RawOrigin(connection -> {
            boolean leaves = connection.readHead().startsWith("GET /leaves ");
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4" + END + "ab");
            if (leaves) {
                connection.readAll();
                gone.complete(null);
            } else {
                gone.join();
                connection.send("cd");
                connection.readHead();
            }
        })) {
            Way way = new Way(origin);
            try (Wire stays = way.caller()) {
                stays.send(get("/stays")).readHead();
                try (Wire leaves = way.caller()) {
                    leaves.send(get("/leaves")).readHead();
                    assertThat(leaves.read(2)).isEqualTo("ab");
                    assertThat(way.connectionsBetween()).isEqualTo(1);
                }
                gone.get(10, TimeUnit.SECONDS);
                assertThat(stays.read(4)).isEqualTo("abcd");
            }
        }
    }

    @Test
    void cutsOnlyTheAnswerThatTheApplicationCut() {
        try (RawOrigin origin = new RawOrigin(connection -> {
            String head = connection.readHead();
            if (head.startsWith("GET /cut ")) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100" + END + "half");
            } else {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2" + END + "ok");
                connection.readAll();
            }
        })) {
            Way way = new Way(origin);
            try (Wire cut = way.caller();
                    Wire whole = way.caller()) {
                assertThat(cut.send(get("/cut")).readHead()).contains("content-length: 100\r\n");
                assertThat(cut.readAll().length()).isLessThan(100);
                whole.send(get("/whole")).readHead();
                assertThat(whole.read(2)).isEqualTo("ok");
                assertThat(way.connectionsBetween()).isEqualTo(1);
            }
        }
    }

    @Test
    void answersWhatTheApplicationBrokeAndGoesOn() {
        try (RawOrigin origin = new RawOrigin(connection -> {
                    if (connection.readHead().startsWith("GET /broken ")) {
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2" + END);
                    } else {
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2" + END + "ok");
                    }
                });
                Wire wire = new Way(origin).caller()) {
            assertThat(wire.send(get("/broken")).readHead())
                    .startsWith("HTTP/1.1 502 ")
                    .contains("x-tulle-reason: upstream-malformed\r\n");
            wire.readThrough("\n");
            assertThat(wire.send(get("/")).readHead()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void carriesHeadsAsLargeAsHttp1Allows() {
        String large = "v".repeat(7_900);
        try (RawOrigin origin = new RawOrigin(connection -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields(large) + END);
                    connection.readHead();
                });
                Wire wire = new Way(origin).caller()) {
            wire.send("GET / HTTP/1.1\r\nHost: a\r\n" + fields(large) + END);
            assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n").contains("large-3: " + large);
        }
    }

    /** Four large fields and eighty short ones: little less than 32 KiB without what HTTP/2 counts for each. */
    private static String fields(String large) {
        StringBuilder fields = new StringBuilder();
        for (int i = 0; i < 80; i++) {
            fields.append("s").append(i).append(": 1\r\n");
        }
        for (int i = 0; i < 4; i++) {
            fields.append(i == 0 ? "" : "\r\n").append("large-" + i + ": ").append(large);
        }
        return fields.toString();
    }

    @Test
    void givesTunnelsAndLongUploadsConnectionsOfTheirOwn() {
        try (RawOrigin origin = new RawOrigin(connection -> {
            String head = connection.readHead();
            if (head.contains("upgrade: websocket\r\n")) {
                connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket" + END);
                connection.send(connection.read(4));
            } else if (head.contains("transfer-encoding: chunked\r\n")) {
                connection.readThrough("0\r\n\r\n");
                connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0" + END);
            } else {
                connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0" + END);
            }
            connection.readAll();
        })) {
            Way way = new Way(origin);
            try (Wire plain = way.caller();
                    Wire tunnel = way.caller();
                    Wire upload = way.caller()) {
                plain.send(get("/")).readHead();
                tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket" + END);
                assertThat(tunnel.readHead()).startsWith("HTTP/1.1 101 ");
                assertThat(tunnel.send("ping").read(4)).isEqualTo("ping");
                assertThat(way.connectionsBetween()).isEqualTo(2);
                upload.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" + END + "3\r\nabc\r\n0\r\n\r\n");
                assertThat(upload.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(way.connectionsBetween()).isEqualTo(3);
            }
        }
    }

    @Test
    void speaksHttp1ToAnEndpointThatCannotShare() throws Exception {
        CompletableFuture<Void> bothCame = new CompletableFuture<>();
        AtomicInteger came = new AtomicInteger();
        try (RawOrigin endpoint =
                new RawOrigin(http1Only(mesh.authority().svid(TestMesh.identity("reviews"))), connection -> {
                    while (!connection.readHead().isEmpty()) {
                        if (came.incrementAndGet() == 2) {
                            bothCame.complete(null);
                        }
                        bothCame.get(10, TimeUnit.SECONDS);
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2" + END + "ok");
                    }
                })) {
            TestMesh.Side client = mesh.client(
                    "web",
                    TestMesh.service(
                            Protocol.HTTP,
                            new Endpoint(
                                    endpoint.address(),
                                    "shop/reviews-1",
                                    Optional.of(TestMesh.identity("reviews")),
                                    "")));
            try (Wire one = new Wire(client.dialOutbound());
                    Wire other = new Wire(client.dialOutbound())) {
                one.send(get("/one"));
                other.send(get("/other"));
                for (Wire wire : List.of(one, other)) {
                    assertThat(wire.readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                    assertThat(wire.read(2)).isEqualTo("ok");
                    assertThat(wire.send(get("/again")).readHead()).startsWith("HTTP/1.1 200 OK\r\n");
                    assertThat(wire.read(2)).isEqualTo("ok");
                }
                assertThat(endpoint.connections()).hasSize(2);
            }
            assertThat(endpoint.failures()).isEmpty();
        }
    }

    /** Sockets that speak mutual TLS and, inside it, HTTP/1.1 only, as proxies of other makes and older ones do. */
    private static ServerSocketFactory http1Only(Svid svid) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("key", svid.key(), new char[0], svid.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), null, null);
        return new ServerSocketFactory() {
            @Override
            public ServerSocket createServerSocket(int port) throws IOException {
                throw new UnsupportedOperationException();
            }

            @Override
            public ServerSocket createServerSocket(int port, int backlog) throws IOException {
                throw new UnsupportedOperationException();
            }

            @Override
            public ServerSocket createServerSocket(int port, int backlog, InetAddress address) throws IOException {
                SSLServerSocket socket =
                        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, backlog, address);
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"http/1.1"});
                socket.setSSLParameters(parameters);
                return socket;
            }
        };
    }
}
