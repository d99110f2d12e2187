package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** One request on a connection of its own: does it get through? */
final class Probe {
    private static final Duration BOUND = Duration.ofSeconds(5);

    private Probe() {}

    /** Whether an answer of the application arrives within five seconds. */
    static boolean answers(Traffic traffic, int port) {
        try {
            return switch (traffic) {
                case HTTP1 -> http1(port);
                case HTTP2 -> http2(port, false);
                case GRPC -> http2(port, true);
                case TCP -> {
                    try (Socket socket = tcp(port)) {
                        yield socket.isConnected();
                    }
                }
            };
        } catch (IOException e) {
            return false;
        }
    }

    /** A connection over which the application's one byte has come; the caller closes it. */
    static Socket tcp(int port) throws IOException {
        Socket socket = RawConnection.dial(port);
        try {
            socket.setSoTimeout((int) BOUND.toMillis());
            socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
            if (socket.getInputStream().read() != '!') {
                throw new IOException("not the application's answer");
            }
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static boolean http1(int port) throws IOException {
        try (RawConnection connection = RawConnection.to(port)) {
            connection.send("GET / HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            return connection
                            .readUntil(BOUND, text -> text.contains("\r\n\r\n"))
                            .status()
                    == 200;
        }
    }

    private static boolean http2(int port, boolean post) throws IOException {
        try (Http2Client client = new Http2Client(port, post)) {
            client.ask();
            return client.answered();
        }
    }
}
