package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** One request on a connection of its own: does it get through? */
final class Probe {
    private static final int BOUND_MILLIS = 5_000;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int GOAWAY = 7;
    private static final int INDEXED_STATUS_200 = 0x88;

    private Probe() {}

    /** Whether an answer of the application arrives within five seconds. */
    static boolean answers(Traffic traffic, int port) {
        try {
            return switch (traffic) {
                case HTTP1 -> http1(port);
                case HTTP2 -> http2(port, 0x82);
                case GRPC -> http2(port, 0x83);
                case TCP -> tcp(port);
            };
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean http1(int port) throws IOException {
        try (RawConnection connection = RawConnection.to(port)) {
            connection.send("GET / HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n");
            return connection
                            .readUntil(Duration.ofMillis(BOUND_MILLIS), text -> text.contains("\r\n\r\n"))
                            .status()
                    == 200;
        }
    }

    /** {@code method}: its index in HPACK's static table, as a field. */
    private static boolean http2(int port, int method) throws IOException {
        try (Socket socket = RawConnection.dial(port)) {
            socket.setSoTimeout(BOUND_MILLIS);
            OutputStream out = socket.getOutputStream();
            out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.write(new byte[] {0, 0, 0, SETTINGS, 0, 0, 0, 0, 0});
            // Method, scheme http, path /, authority x; the end of the stream too.
            byte[] head = {(byte) method, (byte) 0x86, (byte) 0x84, 0x01, 0x01, 'x'};
            out.write(new byte[] {0, 0, (byte) head.length, HEADERS, 5, 0, 0, 0, 1});
            out.write(head);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            while (true) {
                int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
                int type = in.readUnsignedByte();
                in.skipNBytes(5);
                byte[] payload = in.readNBytes(length);
                if (type == HEADERS) {
                    return (payload[0] & 0xff) == INDEXED_STATUS_200;
                }
                if (type == GOAWAY) {
                    return false;
                }
            }
        }
    }

    private static boolean tcp(int port) throws IOException {
        try (Socket socket = RawConnection.dial(port)) {
            socket.setSoTimeout(BOUND_MILLIS);
            socket.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() == '!';
        }
    }
}
