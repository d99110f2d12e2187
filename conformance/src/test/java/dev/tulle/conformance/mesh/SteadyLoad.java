package dev.tulle.conformance.mesh;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** One caller that never stops asking, each time on a new connection, and remembers every answer that was not 200. */
public final class SteadyLoad implements AutoCloseable {
    private static final long PAUSE_MILLIS = 10;

    private final int port;
    private final AtomicLong good = new AtomicLong();
    private final List<String> bad = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean ended;

    public SteadyLoad(int port) {
        this.port = port;
        this.thread = Thread.ofPlatform().daemon().start(this::run);
    }

    /** Requests answered with 200 so far. */
    public long good() {
        return good.get();
    }

    /** What went wrong so far. */
    public List<String> bad() {
        return List.copyOf(bad);
    }

    @Override
    public void close() {
        ended = true;
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!ended) {
            try (RawConnection connection = RawConnection.to(port)) {
                connection.send("GET /steady HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
                RawConnection.Said said = connection.readToEnd(Duration.ofSeconds(10));
                if (said.status() == 200) {
                    good.incrementAndGet();
                } else {
                    bad.add(said.text());
                }
                Thread.sleep(PAUSE_MILLIS);
            } catch (IOException e) {
                bad.add(e.toString());
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
