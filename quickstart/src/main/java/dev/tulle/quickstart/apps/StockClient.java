package dev.tulle.quickstart.apps;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentLinkedDeque;

/** A client of the key-value store with a small pool; a connection is used for at most {@value #MAX_AGE_MILLIS} ms. */
final class StockClient {
    private static final int MAX_AGE_MILLIS = 2_000;
    private static final int TIMEOUT_MILLIS = 10_000;

    private final String host;
    private final int port;
    private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

    StockClient(String address) {
        int colon = address.lastIndexOf(':');
        host = address.substring(0, colon);
        port = Integer.parseInt(address.substring(colon + 1));
    }

    /** The value of {@code key}; a new connection replaces one that ended while it lay idle, once. */
    String get(String key) throws IOException {
        Connection connection = idle.pollLast();
        if (connection != null && connection.isYoung()) {
            try {
                return ask(connection, key);
            } catch (IOException e) {
                connection.close();
            }
        } else if (connection != null) {
            connection.close();
        }
        return ask(new Connection(host, port), key);
    }

    private String ask(Connection connection, String key) throws IOException {
        try {
            String answer = connection.ask("GET " + key);
            idle.addLast(connection);
            return answer;
        } catch (IOException e) {
            connection.close();
            throw e;
        }
    }

    /** One greeted connection. */
    static final class Connection {
        private final long openedAt = System.nanoTime();
        private final Socket socket = new Socket();
        private final BufferedReader in;

        Connection(String host, int port) throws IOException {
            try {
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(TIMEOUT_MILLIS);
                socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
                in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                String greeting = line();
                if (!greeting.equals(Stock.GREETING)) {
                    throw new IOException("the stock greeted with '%s'".formatted(greeting));
                }
            } catch (IOException e) {
                socket.close();
                throw e;
            }
        }

        String ask(String line) throws IOException {
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            return line();
        }

        boolean isYoung() {
            return System.nanoTime() - openedAt < MAX_AGE_MILLIS * 1_000_000L;
        }

        void close() {
            try {
                socket.close();
            } catch (IOException e) {
                // It is given up either way.
            }
        }

        private String line() throws IOException {
            String line = in.readLine();
            if (line == null) {
                throw new EOFException("the stock closed the connection");
            }
            return line;
        }
    }
}
