package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.conformance.mesh.Http2Origin;
import dev.tulle.conformance.mesh.Listening;
import dev.tulle.conformance.mesh.MeshTls;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RawHttp2;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Floods of connections and names, slow and dead peers, and neighbours at the admin port: what each may cost is bounded. */
@Timeout(120)
class LimitsTest {
    private static final Duration BOUND = Duration.ofSeconds(10);

    /** The longest of the proxy's limits for a head or a handshake is 10 s. */
    private static final Duration SLOW_BOUND = Duration.ofSeconds(25);

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;

    @BeforeAll
    static void start() {
        origin = new RecordingOrigin();
        mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        origin.close();
    }

    @Test
    void namesThatCallersMakeUpNeverBecomeSeriesOfMetrics() throws IOException {
        // Given
        get("/first", "catalog", "");
        int before = series();
        // When
        try (RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            for (int i = 0; i < 500; i++) {
                connection.send("GET /path-%d?q=%d HTTP/1.1\r\nhost: host-%d.example\r\nuser-agent: agent-%d\r\n\r\n"
                        .formatted(i, i, i, i));
                int now = i;
                connection.readUntil(BOUND, text -> text.endsWith("/path-%d?q=%d".formatted(now, now)));
            }
        }
        // Then
        assertThat(series()).isLessThan(before + 20);
        for (SidecarPair.Sidecar sidecar : List.of(mesh.client(), mesh.server())) {
            assertThat(sidecar.admin("/metrics")).doesNotContain("host-", "path-", "agent-");
        }
    }

    private static int series() {
        return mesh.client().admin("/metrics").split("\n", -1).length
                + mesh.server().admin("/metrics").split("\n", -1).length;
    }

    @Test
    void nothingThatACallerSaysMakesALineOfTheLog() throws IOException {
        get("/log%0a2026-01-01T00:00:00Z%20error%20forged", "catalog", "user-agent: forged\r\nx-a: forged\r\n");
        try (RawConnection connection = RawConnection.to(mesh.inboundPort())) {
            connection.send("GET /\nforged HTTP/1.1\r\n\r\n");
            connection.readToEnd(BOUND);
        }
        assertThat(mesh.server().program().log() + mesh.client().program().log())
                .doesNotContain("forged");
    }

    @Test
    void aFloodOfConnectionsFromOneSourceIsCutAndLeavesAdminAlone() throws IOException {
        List<Socket> flood = new ArrayList<>();
        try {
            // When
            for (int i = 0; i < 2_200; i++) {
                flood.add(RawConnection.dial(mesh.inboundPort()));
            }
            // Then
            await().atMost(BOUND)
                    .until(() -> mesh.server()
                            .admin("/metrics")
                            .contains("tulle_limit_hits_total{limit=\"max_connections_per_source\"}"));
            assertThat(mesh.server().admin("/readyz")).startsWith("ready");
        } finally {
            for (Socket socket : flood) {
                socket.close();
            }
        }
        await().atMost(BOUND).until(() -> get("/after-flood", "catalog", "").status() == 200);
    }

    @Test
    void handshakesThatNobodyFinishesEndInTimeAndAreFew() throws Exception {
        List<RawConnection> half = new ArrayList<>();
        try {
            for (int i = 0; i < 50; i++) {
                RawConnection connection = RawConnection.to(mesh.inboundPort());
                connection.send(new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3});
                half.add(connection);
                RawConnection huge = RawConnection.to(mesh.inboundPort());
                // A ClientHello that says it is 16 MiB long.
                huge.send(new byte[] {0x16, 3, 1, 0x40, 0, 1, (byte) 0xff, (byte) 0xff, (byte) 0xff, 3, 3});
                half.add(huge);
            }
            assertThat(get("/beside-handshakes", "catalog", "").status()).isEqualTo(200);
            long end = System.nanoTime() + SLOW_BOUND.toNanos();
            for (RawConnection connection : half) {
                Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
                assertThat(connection.readToEnd(left).closed()).isTrue();
            }
        } finally {
            for (RawConnection connection : half) {
                connection.close();
            }
        }
    }

    @Test
    void aHeaderBlockThatTricklesBesideALiveStreamEndsItsConnectionInTime() throws Exception {
        Path place = Files.createDirectories(folder.resolve("trickle"));
        try (Http2Origin held = new Http2Origin();
                SidecarPair pair = SidecarPair.open(place, Protocol.HTTP, held.port())) {
            for (Socket way : List.of(
                    RawConnection.dial(pair.outboundPort()),
                    MeshTls.dial(
                            pair.inboundPort(),
                            Optional.of(pair.authority().leaf(pair.authority().identity("shop", "thief"))),
                            "h2"))) {
                try (RawHttp2 connection = RawHttp2.over(way)) {
                    // Given a stream that lives on
                    connection.headers(1, true, RawHttp2.get("/held"));
                    // When
                    byte[] block = RawHttp2.block(RawHttp2.get("/trickle"));
                    connection.raw(new byte[] {0, 0, (byte) block.length, 1, 5, 0, 0, 0, 3});
                    long end = System.nanoTime() + SLOW_BOUND.toNanos();
                    int sent = 0;
                    while (!connection.closed() && System.nanoTime() < end) {
                        if (sent < block.length - 1) {
                            try {
                                connection.raw(new byte[] {block[sent++]});
                            } catch (IOException e) {
                                break;
                            }
                        }
                        Thread.sleep(500);
                    }
                    // Then
                    assertThat(connection.awaitClose(Duration.ofSeconds(2))).isTrue();
                }
            }
            assertThat(held.heads("/trickle")).isEmpty();
        }
    }

    @Test
    void aResetBehindAHalfCloseEndsBothSidesAndCostsNothing() throws Exception {
        CountDownLatch gone = new CountDownLatch(20);
        AtomicInteger arrived = new AtomicInteger();
        Path place = Files.createDirectories(folder.resolve("reset"));
        try (Listening silent = new Listening((socket, number) -> {
                    // Reads to the end that the half-close brings, then waits for the connection to break. Where a
                    // proxy gave up a
                    // connection that took too long to be made, on a busy machine, nothing came by it.
                    if (socket.getInputStream().readAllBytes().length == 0) {
                        return;
                    }
                    arrived.incrementAndGet();
                    long end = System.nanoTime() + SLOW_BOUND.toNanos();
                    try {
                        while (System.nanoTime() < end) {
                            socket.getOutputStream().write('x');
                            Thread.sleep(100);
                        }
                    } catch (IOException e) {
                        gone.countDown();
                    }
                });
                SidecarPair pair = SidecarPair.open(place, Protocol.TCP, silent.port())) {
            for (int i = 0; i < 20; i++) {
                Socket socket = RawConnection.dial(pair.outboundPort());
                socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                socket.shutdownOutput();
                // When
                Thread.sleep(50);
                socket.setSoLinger(true, 0);
                socket.close();
            }
            // Then
            assertThat(gone.await(SLOW_BOUND.toSeconds(), TimeUnit.SECONDS)).isTrue();
            double before = processorSeconds(pair);
            Thread.sleep(2_000);
            assertThat(processorSeconds(pair) - before).isLessThan(1.0);
            assertThat(arrived).hasValue(20);
        }
    }

    private static double processorSeconds(SidecarPair pair) {
        return pair.client().program().processorSeconds()
                + pair.server().program().processorSeconds();
    }

    @Test
    void aBodyIsPassedOnAsItIsAndSentOnceOnly() throws Exception {
        // Given an application that takes a request and breaks off
        Path place = Files.createDirectories(folder.resolve("once"));
        AtomicInteger seen = new AtomicInteger();
        try (Listening breaking = new Listening((socket, number) -> {
                    if (RecordingOrigin.readHead(socket.getInputStream()).startsWith("POST")) {
                        seen.incrementAndGet();
                        socket.getInputStream().readNBytes(5);
                    }
                });
                SidecarPair pair = SidecarPair.open(place, Protocol.HTTP, breaking.port());
                RawConnection connection = RawConnection.to(pair.outboundPort())) {
            // When
            connection.send(
                    "POST /once HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
            Said said = connection.readToEnd(BOUND);
            // Then
            assertThat(said.status()).as(said.text()).isEqualTo(502);
            assertThat(seen).hasValue(1);
        }
        // And a body that says it is compressed is not looked into
        try (RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            connection.send("POST /zip HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\naccept-encoding: br\r\n"
                    + "content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello");
            assertThat(connection.readToEnd(BOUND).status()).isEqualTo(200);
        }
        assertThat(origin.received("/zip")).singleElement().satisfies(request -> {
            assertThat(request.body()).isEqualTo("hello");
            assertThat(request.values("content-encoding")).containsExactly("gzip");
            assertThat(request.values("accept-encoding")).containsExactly("br");
        });
    }

    @Test
    void theAdminPortAnswersNobodyWhoComesByAnotherName() throws IOException {
        int port = mesh.server().adminPort();
        for (String host : List.of(
                "evil.example",
                "evil.example:" + port,
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "localhost@evil.example",
                "evil.example@localhost",
                "0.0.0.0",
                "127.1",
                "2130706433",
                "[::ffff:127.0.0.1]",
                "")) {
            for (String path : List.of("/config", "/shutdown", "/metrics", "/readyz")) {
                Said said = ask(port, "GET " + path + " HTTP/1.1\r\nhost: " + host + "\r\n\r\n");
                assertThat(said.status()).as(host + " " + said.text()).isIn(400, 421);
            }
        }
        for (String line : List.of(
                "POST /shutdown HTTP/1.1",
                "GET /shutdown HTTP/1.1",
                "PUT /config HTTP/1.1",
                "POST //shutdown HTTP/1.1",
                "POST /shutdown/ HTTP/1.1",
                "POST /./shutdown HTTP/1.1",
                "POST /%73hutdown HTTP/1.1",
                "POST http://localhost/shutdown HTTP/1.1",
                "GET /../../etc/passwd HTTP/1.1",
                "TRACE /config HTTP/1.1",
                "CONNECT localhost:80 HTTP/1.1",
                "GET /quitquitquit HTTP/1.1",
                "POST /logging?level=debug HTTP/1.1")) {
            Said said =
                    ask(port, line + "\r\nhost: localhost\r\nauthorization: Bearer wrong\r\ncontent-length: 0\r\n\r\n");
            assertThat(said.status()).as(line + " " + said.text()).isIn(400, 401, 403, 404, 405);
        }
        assertThat(ask(port, "GET /config HTTP/1.1\r\nhost: localhost\r\n\r\n").text())
                .contains("200 OK")
                .doesNotContain("PRIVATE KEY");
        assertThat(mesh.server().program().isAlive()).isTrue();
    }

    private static Said ask(int port, String bytes) throws IOException {
        try (RawConnection connection = RawConnection.to(port)) {
            connection.send(bytes);
            return connection.readToEnd(BOUND);
        }
    }

    private static Said get(String target, String host, String fields) throws IOException {
        return ask(
                mesh.outboundPort(),
                "GET " + target + " HTTP/1.1\r\nhost: " + host + "\r\nconnection: close\r\n" + fields + "\r\n");
    }
}
