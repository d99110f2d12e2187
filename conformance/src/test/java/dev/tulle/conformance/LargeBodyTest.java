package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.mesh.StreamingOrigin;
import dev.tulle.proxy.model.Protocol;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bodies much larger than a proxy's memory, up and down at once, and a reader that has gone to sleep. */
@Timeout(120)
class LargeBodyTest {
    private static final long GIB = 1L << 30;
    /** Heap 64 MB, and what a JVM needs beside it; 1 GiB held back would be far beyond. */
    private static final long RESIDENT_LIMIT = 320L << 20;

    @TempDir
    private Path folder;

    @Test
    void aGibibyteStreamsThroughWithFlatMemory() throws Exception {
        try (StreamingOrigin origin = new StreamingOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                Socket socket = RawConnection.dial(mesh.outboundPort())) {
            // When
            send(
                    socket,
                    "POST /echo HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
                            .formatted(GIB));
            CompletableFuture<Long> uploaded = CompletableFuture.supplyAsync(() -> upload(socket, GIB));
            AtomicLong highest = new AtomicLong();
            long got = download(socket, () -> highest.accumulateAndGet(residentBytes(mesh), Math::max));
            // Then
            assertThat(uploaded.get(60, TimeUnit.SECONDS)).isEqualTo(GIB);
            assertThat(got).isEqualTo(GIB);
            assertThat(highest.get()).isLessThan(RESIDENT_LIMIT);
        }
    }

    @Test
    void aReaderThatSleepsStopsTheWriterInsteadOfFillingTheProxy() throws Exception {
        try (StreamingOrigin origin = new StreamingOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.HTTP, origin.port());
                Socket socket = RawConnection.dial(mesh.outboundPort())) {
            // When
            send(socket, "GET /endless HTTP/1.1\r\nhost: catalog\r\n\r\n");
            // Then the origin comes to a halt after what the sockets between hold
            long before = -1;
            long now = origin.sent();
            for (int i = 0; i < 100 && (now == 0 || now != before); i++) {
                before = now;
                Thread.sleep(300);
                now = origin.sent();
            }
            assertThat(now).isPositive().isEqualTo(before).isLessThan(64L << 20);
            assertThat(residentBytes(mesh)).isLessThan(RESIDENT_LIMIT);
        }
    }

    private static long residentBytes(SidecarPair mesh) {
        return Math.max(
                mesh.client().program().residentBytes(), mesh.server().program().residentBytes());
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static long upload(Socket socket, long size) {
        byte[] block = new byte[64 << 10];
        long left = size;
        try {
            OutputStream out = socket.getOutputStream();
            while (left > 0) {
                int count = (int) Math.min(left, block.length);
                out.write(block, 0, count);
                left -= count;
            }
        } catch (IOException e) {
            return size - left;
        }
        return size;
    }

    /** Bytes of the answer's body. */
    private static long download(Socket socket, Runnable everyNowAndThen) throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            assertThat(next).as(head.toString()).isNotNegative();
            head.append((char) next);
        }
        assertThat(head.toString()).startsWith("HTTP/1.1 200");
        byte[] block = new byte[256 << 10];
        long got = 0;
        long shown = 0;
        for (int count = in.read(block); count >= 0; count = in.read(block)) {
            got += count;
            if (got - shown > 64 << 20) {
                shown = got;
                everyNowAndThen.run();
            }
        }
        return got;
    }
}
