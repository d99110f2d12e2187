package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Load by a few blocking threads of ours: what wrk and h2load do not do, and a smoke test without them. */
final class OwnLoad {
    private static final int THREADS = 4;
    private static final int STREAMS = 8;
    private static final int BLOCK = 128 << 10;
    private static final int READ_BOUND_MILLIS = 10_000;
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: catalog\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private OwnLoad() {}

    /** HTTP/1.1 with keep-alive. */
    static Load http1() {
        return (port, seconds) -> together(seconds, (end, done) -> {
            try (Socket socket = RawConnection.dial(port)) {
                socket.setSoTimeout(READ_BOUND_MILLIS);
                while (System.nanoTime() < end) {
                    socket.getOutputStream().write(REQUEST);
                    Http1Answer.skip(socket.getInputStream());
                    done.increment();
                }
            }
        });
    }

    /** HTTP/2, several streams a connection; {@code post} as gRPC does. */
    static Load http2(boolean post) {
        return (port, seconds) -> together(seconds, (end, done) -> {
            try (Http2Client client = new Http2Client(port, post)) {
                for (int i = 0; i < STREAMS; i++) {
                    client.ask();
                }
                while (System.nanoTime() < end) {
                    if (!client.answered()) {
                        throw new IOException("an answer was not the application's");
                    }
                    done.increment();
                    client.ask();
                }
            }
        });
    }

    /** A TCP connection for every exchange of a few bytes. */
    static Load connections() {
        return (port, seconds) -> together(seconds, (end, done) -> {
            while (System.nanoTime() < end) {
                Probe.tcp(port).close();
                done.increment();
            }
        });
    }

    /** Bytes up one TCP connection, in MB. */
    static Load upload() {
        return (port, seconds) -> {
            byte[] block = new byte[BLOCK];
            long begin = System.nanoTime();
            long end = begin + TimeUnit.SECONDS.toNanos(seconds);
            long bytes = 0;
            try (Socket socket = RawConnection.dial(port)) {
                OutputStream out = socket.getOutputStream();
                while (System.nanoTime() < end) {
                    out.write(block);
                    bytes += block.length;
                }
            }
            return new Load.Done(bytes / 1e6, bytes / 1e6 / ((System.nanoTime() - begin) / 1e9), 0);
        };
    }

    private interface Client {
        void run(long end, LongAdder done) throws IOException;
    }

    private static Load.Done together(int seconds, Client client) {
        LongAdder done = new LongAdder();
        LongAdder failed = new LongAdder();
        long begin = System.nanoTime();
        long end = begin + TimeUnit.SECONDS.toNanos(seconds);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    client.run(end, done);
                } catch (IOException e) {
                    failed.increment();
                }
            }));
        }
        threads.forEach(Threads::join);
        return new Load.Done(done.sum(), done.sum() / ((System.nanoTime() - begin) / 1e9), failed.sum());
    }
}
