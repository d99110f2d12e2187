package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.netty.util.ResourceLeakDetector;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bodies of any size pass with memory that does not grow, at the pace of the slower side. */
@Timeout(120)
class BulkEndToEndTest {
    private static final long GIBIBYTE = 1L << 30;
    private static final long MOST_BUFFERED = 24L << 20;

    private final TestMesh mesh = new TestMesh();
    private final ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();

    @BeforeEach
    void measureSpeedNotLeaks() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.SIMPLE);
    }

    @AfterEach
    void close() {
        ResourceLeakDetector.setLevel(level);
        mesh.close();
    }

    private static long directMemory() {
        return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                .metric()
                .usedDirectMemory();
    }

    private static void write(OutputStream out, long bytes) throws java.io.IOException {
        byte[] chunk = new byte[256 << 10];
        for (long left = bytes; left > 0; left -= chunk.length) {
            out.write(chunk, 0, (int) Math.min(left, chunk.length));
        }
        out.flush();
    }

    /** Reads and throws away, noting the largest use of direct memory. */
    private static void read(InputStream in, long bytes, AtomicLong most) throws java.io.IOException {
        byte[] chunk = new byte[256 << 10];
        for (long left = bytes; left > 0; ) {
            int read = in.read(chunk, 0, (int) Math.min(left, chunk.length));
            if (read < 0) {
                throw new java.io.EOFException(left + " bytes are missing");
            }
            left -= read;
            most.accumulateAndGet(directMemory(), Math::max);
        }
    }

    @Test
    void streamsAGibibyteDownWithFlatMemory() throws Exception {
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + GIBIBYTE + "\r\n\r\n");
            write(connection.socket().getOutputStream(), GIBIBYTE);
            connection.readAll();
        })) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.HTTP).dialOutbound())) {
                long before = directMemory();
                AtomicLong most = new AtomicLong();
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                read(wire.socket().getInputStream(), GIBIBYTE, most);
                assertThat(most.get() - before).isLessThan(MOST_BUFFERED);
            }
        }
    }

    @Test
    void streamsAnUploadInChunksWithFlatMemory() throws Exception {
        long size = GIBIBYTE / 8;
        AtomicLong most = new AtomicLong();
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.readHead();
            read(connection.socket().getInputStream(), size, most);
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        })) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.HTTP).dialOutbound())) {
                long before = directMemory();
                wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n");
                write(wire.socket().getOutputStream(), size);
                assertThat(wire.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(most.get() - before).isLessThan(MOST_BUFFERED);
            }
        }
    }

    @Test
    void stopsReadingFromTheApplicationWhileTheClientDoesNotRead() throws Exception {
        AtomicLong written = new AtomicLong();
        try (RawOrigin origin = new RawOrigin(connection -> {
            connection.readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + GIBIBYTE + "\r\n\r\n");
            byte[] chunk = new byte[64 << 10];
            for (long left = GIBIBYTE; left > 0; left -= chunk.length) {
                connection.socket().getOutputStream().write(chunk);
                written.addAndGet(chunk.length);
            }
        })) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            try (Wire wire = new Wire(mesh.clientOf(server, Protocol.HTTP).dialOutbound())) {
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
                // When nobody reads, then what was written stands still: sockets' buffers and ours, nothing more.
                await().atMost(Duration.ofSeconds(20))
                        .pollInterval(Duration.ofMillis(500))
                        .until(new java.util.concurrent.Callable<>() {
                            private long before = -1;

                            @Override
                            public Boolean call() {
                                long now = written.get();
                                boolean still = now > 0 && now == before;
                                before = now;
                                return still;
                            }
                        });
                assertThat(written.get()).isLessThan(64L << 20);
                assertThat(directMemory()).isLessThan(64L << 20);
            }
        }
        assertThat(ByteBufAllocator.DEFAULT).isInstanceOf(AdaptiveByteBufAllocator.class);
    }
}
