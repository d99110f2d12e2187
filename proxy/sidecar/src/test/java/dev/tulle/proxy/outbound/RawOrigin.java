package dev.tulle.proxy.outbound;

import dev.tulle.proxy.model.HostPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ServerSocketFactory;

/** An application made by hand: every connection is served by the test's own code, which sees exactly the bytes that arrive. */
public final class RawOrigin implements AutoCloseable {
    private final ServerSocket server;
    private final List<Wire> connections = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();

    /** Serves one connection. */
    public interface Script {
        void serve(Wire connection) throws Exception;
    }

    public RawOrigin(Script script) {
        this(ServerSocketFactory.getDefault(), script);
    }

    public RawOrigin(ServerSocketFactory sockets, Script script) {
        try {
            server = sockets.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> accept(script));
    }

    private void accept(Script script) {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                Wire wire = new Wire(socket);
                connections.add(wire);
                Thread.ofVirtual().start(() -> {
                    try (wire) {
                        script.serve(wire);
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                });
            } catch (IOException e) {
                return;
            }
        }
    }

    /** Answers every request, keeping the connection, with 200 and what it received as head. */
    public static RawOrigin echoingHeads() {
        return new RawOrigin(connection -> {
            while (true) {
                String head = connection.readHead();
                if (head.isEmpty()) {
                    return;
                }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + head.length() + "\r\n\r\n" + head);
            }
        });
    }

    public HostPort address() {
        return new HostPort("127.0.0.1", server.getLocalPort());
    }

    public List<Wire> connections() {
        return connections;
    }

    public List<Throwable> failures() {
        return failures;
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        connections.forEach(Wire::close);
    }
}
