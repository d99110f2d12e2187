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
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers that open connections and say nothing, or a byte now and then: they are sent away in time, and nobody waits for them. */
@Timeout(90)
class SlowPeerTest {
    /** The longest of the proxy's limits for a first word is 10 s. */
    private static final Duration BOUND = Duration.ofSeconds(25);

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
    void silentAndHalfSpokenConnectionsAreClosedInTimeAndNobodyWaitsForThem() throws Exception {
        List<RawConnection> slow = new ArrayList<>();
        try {
            // Given
            for (int i = 0; i < 100; i++) {
                slow.add(RawConnection.to(mesh.outboundPort()));
                slow.add(RawConnection.to(mesh.inboundPort()));
                RawConnection half = RawConnection.to(mesh.outboundPort());
                half.send("GET /half HTTP/1.1\r\nhost: cata");
                slow.add(half);
                RawConnection handshake = RawConnection.to(mesh.inboundPort());
                handshake.send(new byte[] {0x16, 3, 1, 2, 0, 1, 0});
                slow.add(handshake);
                RawConnection preface = RawConnection.to(mesh.outboundPort());
                preface.send("PRI * HTTP/2.0\r\n");
                slow.add(preface);
            }
            // When
            Said said = get("/prompt");
            // Then
            assertThat(said.text()).endsWith("/prompt");
            long end = System.nanoTime() + BOUND.toNanos();
            for (RawConnection connection : slow) {
                Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
                assertThat(connection.readToEnd(left).closed()).isTrue();
            }
            assertThat(origin.received("/half")).isEmpty();
            assertThat(get("/after").text()).endsWith("/after");
        } finally {
            for (RawConnection connection : slow) {
                connection.close();
            }
        }
    }

    @Test
    void aHeadThatTricklesInIsNotWaitedForForever() throws Exception {
        try (RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            connection.send("GET /trickle HTTP/1.1\r\nhost: catalog\r\nx-a: ");
            long end = System.nanoTime() + BOUND.toNanos();
            boolean closed = false;
            while (!closed && System.nanoTime() < end) {
                try {
                    connection.send("b");
                } catch (IOException e) {
                    closed = true;
                }
                Said said = connection.readUntil(Duration.ofMillis(300), text -> false);
                closed = closed || said.closed();
            }
            assertThat(closed).isTrue();
        }
        assertThat(origin.received("/trickle")).isEmpty();
    }

    private static Said get(String target) throws IOException {
        try (RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            connection.send("GET " + target + " HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            return connection.readToEnd(Duration.ofSeconds(10));
        }
    }
}
