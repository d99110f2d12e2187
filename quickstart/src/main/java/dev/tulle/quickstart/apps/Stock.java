package dev.tulle.quickstart.apps;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The stock: a tiny key-value store over plain TCP.
 *
 * <p>The server speaks first ({@code STOCK 1}), as mail and database servers do. Then lines: {@code GET key} answers the value or
 * {@code -}, {@code SET key value} answers {@code OK}.
 */
final class Stock implements AutoCloseable {
    static final String GREETING = "STOCK 1";

    private static final int KEYS = 10_000;
    private static final int LINE = 1024;
    private static final int IDLE_MILLIS = 60_000;

    private final ServerSocket server;
    private final Seen seen;
    private final Map<String, String> values = new ConcurrentHashMap<>(Map.of("tulle", "42"));

    private Stock(ServerSocket server, Seen seen) {
        this.server = server;
        this.seen = seen;
    }

    static Stock start(AppArguments arguments, Seen seen) throws IOException {
        HttpApp.control(arguments, seen, Map.of());
        ServerSocket server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(arguments.listen(), 128);
        Stock stock = new Stock(server, seen);
        Thread.ofPlatform().name("stock-accept").start(stock::accept);
        return stock;
    }

    int port() {
        return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                System.err.println("stock: cannot accept any more: " + e);
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(IDLE_MILLIS);
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), LINE);
            OutputStream out = socket.getOutputStream();
            say(out, GREETING);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                say(out, answer(line));
            }
        } catch (SocketTimeoutException e) {
            // An idle caller is let go.
        } catch (IOException e) {
            System.err.println("stock: " + e);
        }
    }

    private String answer(String line) {
        String[] words = line.split(" ", 3);
        seen.add(new Seen.Call(words[0], line.substring(words[0].length()).strip(), Map.of()));
        if (words[0].equals("GET") && words.length == 2) {
            return values.getOrDefault(words[1], "-");
        }
        if (words[0].equals("SET") && words.length == 3) {
            if (values.size() >= KEYS && !values.containsKey(words[1])) {
                return "FULL";
            }
            values.put(words[1], words[2]);
            return "OK";
        }
        return "WHAT";
    }

    private static void say(OutputStream out, String line) throws IOException {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
