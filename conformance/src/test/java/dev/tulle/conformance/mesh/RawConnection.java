package dev.tulle.conformance.mesh;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Predicate;

/** A client that sends the bytes it is told to. */
public final class RawConnection implements AutoCloseable {
    private static final int CONNECT_MILLIS = 5_000;

    private final Socket socket;

    private RawConnection(Socket socket) {
        this.socket = socket;
    }

    /** Over an open socket, TLS or not. */
    public static RawConnection over(Socket socket) {
        return new RawConnection(socket);
    }

    /** To a port on this machine. */
    public static RawConnection to(int port) throws IOException {
        return new RawConnection(dial(port));
    }

    /** A socket to a port on this machine that does not collect small writes. */
    public static Socket dial(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
        socket.setTcpNoDelay(true);
        return socket;
    }

    public Socket socket() {
        return socket;
    }

    /** Sends text as ISO 8859-1. */
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /**
     * What the other side says until it closes or resets.
     *
     * @param bound after which reading ends
     */
    public Said readToEnd(Duration bound) throws IOException {
        return read(bound, text -> false);
    }

    /** What the other side says until the text satisfies {@code enough}, or it closes, or the bound is over. */
    public Said readUntil(Duration bound, Predicate<String> enough) throws IOException {
        return read(bound, enough);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    /**
     * What was read.
     *
     * @param text ISO 8859-1
     * @param closed whether the other side closed or reset the connection
     */
    public record Said(String text, boolean closed) {
        /** The number of the first status line; 0 when there is none. */
        public int status() {
            return text.matches("(?s)HTTP/1\\.[01] [0-9]{3}[ \r].*") ? Integer.parseInt(text.substring(9, 12)) : 0;
        }

        /** How many answers there seem to be. */
        public int answers() {
            return text.split("HTTP/1\\.1 [0-9]{3} ", -1).length - 1;
        }
    }

    private Said read(Duration bound, Predicate<String> enough) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long end = System.nanoTime() + bound.toNanos();
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[8192];
        while (true) {
            String text = all.toString(StandardCharsets.ISO_8859_1);
            if (enough.test(text)) {
                return new Said(text, false);
            }
            long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
            if (left <= 0) {
                return new Said(text, false);
            }
            socket.setSoTimeout((int) left);
            int count;
            try {
                count = in.read(buffer);
            } catch (SocketTimeoutException e) {
                return new Said(text, false);
            } catch (IOException e) {
                return new Said(text, true);
            }
            if (count < 0) {
                return new Said(text, true);
            }
            all.write(buffer, 0, count);
        }
    }
}
