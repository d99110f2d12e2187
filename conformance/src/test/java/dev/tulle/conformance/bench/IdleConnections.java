package dev.tulle.conformance.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * HTTP/1.1 connections of callers that have asked once and then keep silent.
 *
 * <p>They come from several addresses of the loopback network, for a proxy may bound how many one address opens.
 */
final class IdleConnections implements AutoCloseable {
    private static final int ADDRESSES = 8;
    private static final int BOUND_MILLIS = 5_000;
    private static final byte[] REQUEST = "GET / HTTP/1.1\r\nHost: catalog\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final List<Socket> sockets = new ArrayList<>();

    /** Opens more until there are {@code count}. */
    void open(int port, int count) throws IOException {
        while (sockets.size() < count) {
            Socket socket = new Socket();
            sockets.add(socket);
            socket.setSoTimeout(BOUND_MILLIS);
            byte[] from = {127, 0, 0, (byte) (2 + sockets.size() % ADDRESSES)};
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(from), 0));
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BOUND_MILLIS);
            ask(socket);
        }
    }

    /** How many of a sample of a hundred do not answer any more. */
    int lost() {
        int lost = 0;
        for (int i = 0; i < sockets.size(); i += Math.max(1, sockets.size() / 100)) {
            try {
                ask(sockets.get(i));
            } catch (IOException e) {
                lost++;
            }
        }
        return lost;
    }

    private static void ask(Socket socket) throws IOException {
        socket.getOutputStream().write(REQUEST);
        Http1Answer.skip(socket.getInputStream());
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
