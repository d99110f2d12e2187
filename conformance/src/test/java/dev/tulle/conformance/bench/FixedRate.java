package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Asks at moments that are fixed before, however late the answers are, and counts an answer's time from the moment its request was
 * due: a proxy that stops for a while pays for every request of that while (no coordinated omission).
 *
 * <p>A request is due every {@code 1 / rate} seconds, in turn on each connection; HTTP/1.1, one thread for each connection. Every
 * time is kept, so percentiles are exact.
 */
final class FixedRate {
    private static final int CONNECTIONS = 16;
    private static final int READ_BOUND_MILLIS = 10_000;
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: catalog\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private FixedRate() {}

    /** What was seen. */
    static final class Seen {
        private final long[] ascending;
        private final int failed;

        private Seen(long[] ascending, int failed) {
            this.ascending = ascending;
            this.failed = failed;
        }

        int count() {
            return ascending.length;
        }

        /** Connections that broke. */
        int failed() {
            return failed;
        }

        /** In microseconds; {@code share} of 0.5 is the median. */
        double percentileMicros(double share) {
            return ascending[Math.min(ascending.length - 1, (int) (share * ascending.length))] / 1e3;
        }
    }

    /** Runs for that long. */
    static Seen run(int port, int perSecond, int seconds) {
        long step = 1_000_000_000L / perSecond;
        int each = perSecond * seconds / CONNECTIONS;
        long[][] nanos = new long[CONNECTIONS][];
        AtomicInteger failed = new AtomicInteger();
        long begin = System.nanoTime() + 50_000_000L;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            int number = i;
            threads.add(Thread.ofPlatform().start(() -> {
                long[] seen = new long[each];
                int count = 0;
                try (Socket socket = RawConnection.dial(port)) {
                    socket.setSoTimeout(READ_BOUND_MILLIS);
                    for (int j = 0; j < each; j++) {
                        long due = begin + (number + (long) j * CONNECTIONS) * step;
                        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                            LockSupport.parkNanos(left);
                        }
                        socket.getOutputStream().write(REQUEST);
                        Http1Answer.skip(socket.getInputStream());
                        seen[count++] = System.nanoTime() - due;
                    }
                } catch (IOException e) {
                    failed.incrementAndGet();
                }
                nanos[number] = Arrays.copyOf(seen, count);
            }));
        }
        for (Thread thread : threads) {
            Threads.join(thread);
        }
        long[] all = Arrays.stream(nanos).flatMapToLong(Arrays::stream).sorted().toArray();
        if (all.length == 0) {
            throw new IllegalStateException("nothing answered at port " + port);
        }
        return new Seen(all, failed.get());
    }
}
