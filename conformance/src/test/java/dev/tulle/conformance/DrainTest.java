package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.conformance.mesh.Http2Origin;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RawHttp2;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Protocol;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM while requests are under way: each is answered, and the process ends by itself. */
@Timeout(60)
class DrainTest {
    private static final Duration BOUND = Duration.ofSeconds(20);

    @TempDir
    private Path folder;

    private final CountDownLatch go = new CountDownLatch(1);

    @Test
    void theCalleesProxyAnswersWhatItHasTaken() throws Exception {
        try (RecordingOrigin origin = slowOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            // Given
            connection.send("GET /slow HTTP/1.1\r\nhost: catalog\r\n\r\n");
            await().atMost(BOUND).until(() -> origin.received("/slow").size() == 1);
            // When
            mesh.server().program().terminate();
            await().atMost(BOUND).until(() -> !mesh.server().admin("/readyz").startsWith("ready"));
            go.countDown();
            Said said = connection.readUntil(BOUND, text -> text.endsWith("/slow"));
            // Then
            assertThat(said.status()).as(said.text()).isEqualTo(200);
            assertThat(mesh.server().program().awaitEnd(BOUND)).isZero();
        }
    }

    @Test
    void theCallersProxyStaysUpForItsApplicationUntilTheLastAnswer() throws Exception {
        try (RecordingOrigin origin = slowOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            // Given
            connection.send("GET /slow HTTP/1.1\r\nhost: catalog\r\n\r\n");
            await().atMost(BOUND).until(() -> origin.received("/slow").size() == 1);
            // When
            mesh.client().program().terminate();
            try (RawConnection late = RawConnection.to(mesh.outboundPort())) {
                late.send("GET /late HTTP/1.1\r\nhost: catalog\r\n\r\n");
                assertThat(late.readUntil(BOUND, text -> text.endsWith("/late")).status())
                        .isEqualTo(200);
            }
            go.countDown();
            Said said = connection.readToEnd(BOUND);
            // Then
            assertThat(said.status()).as(said.text()).isEqualTo(200);
            assertThat(said.closed()).isTrue();
            assertThat(mesh.client().program().awaitEnd(BOUND)).isZero();
        }
    }

    @Test
    void anHttp2PeerIsToldBeforeItsConnectionEnds() throws Exception {
        try (Http2Origin origin = new Http2Origin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                RawHttp2 connection = RawHttp2.over(RawConnection.dial(mesh.inboundPort()))) {
            // Given
            connection.headers(1, false, RawHttp2.get("/under-way"));
            await().atMost(BOUND).until(() -> !origin.heads("/under-way").isEmpty());
            // When
            mesh.server().program().terminate();
            assertThat(connection.await(BOUND, frame -> frame.type() == RawHttp2.GOAWAY))
                    .isTrue();
            connection.frame(RawHttp2.DATA, RawHttp2.END_STREAM, 1, new byte[1]);
            // Then
            assertThat(connection.await(BOUND, frame -> frame.type() == RawHttp2.DATA && frame.stream() == 1))
                    .isTrue();
            assertThat(connection.awaitClose(BOUND)).isTrue();
            assertThat(connection.frames())
                    .filteredOn(frame -> frame.type() == RawHttp2.GOAWAY)
                    .allSatisfy(frame -> assertThat(frame.errorCode()).isZero());
            assertThat(mesh.server().program().awaitEnd(BOUND)).isZero();
        }
    }

    /** Answers {@code /slow} only once {@link #go} is open. */
    private RecordingOrigin slowOrigin() {
        return new RecordingOrigin(request -> {
            if (request.target().equals("/slow")) {
                try {
                    if (!go.await(30, TimeUnit.SECONDS)) {
                        return new byte[0];
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return RecordingOrigin.ok(request.target());
        });
    }
}
