package dev.tulle.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;

class RecordingRelayTest {
    @Test
    void handsBytesOnBothWaysAndKeepsACopyWhileAsked() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        try (ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                RecordingRelay relay = RecordingRelay.start(free, target.getLocalPort());
                Socket near = new Socket(InetAddress.getLoopbackAddress(), free);
                Socket far = target.accept()) {
            near.setSoTimeout(10_000);
            far.setSoTimeout(10_000);
            relay.record();
            near.getOutputStream().write("there ü".getBytes(UTF_8));
            assertThat(far.getInputStream().readNBytes(8)).isEqualTo("there ü".getBytes(UTF_8));
            far.getOutputStream().write("back".getBytes(UTF_8));
            assertThat(near.getInputStream().readNBytes(4)).isEqualTo("back".getBytes(UTF_8));

            byte[] recorded = relay.recorded();
            assertThat(RecordingRelay.contains(recorded, "there ü")).isTrue();
            assertThat(RecordingRelay.contains(recorded, "back")).isTrue();
            assertThat(RecordingRelay.contains(recorded, "elsewhere")).isFalse();

            near.getOutputStream().write("later".getBytes(UTF_8));
            assertThat(far.getInputStream().readNBytes(5)).isEqualTo("later".getBytes(UTF_8));
            assertThat(relay.recorded()).isEqualTo(recorded);

            near.shutdownOutput();
            assertThat(far.getInputStream().read()).isEqualTo(-1);
        }
    }
}
