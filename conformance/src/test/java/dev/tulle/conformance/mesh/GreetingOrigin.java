package dev.tulle.conformance.mesh;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** An application that speaks first, as mail and database servers do, and then gives back what it is told. */
public final class GreetingOrigin implements AutoCloseable {
    private final Listening server;

    public GreetingOrigin() {
        server = new Listening(GreetingOrigin::serve);
    }

    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
    }

    private static void serve(Socket socket, int number) throws IOException {
        socket.getOutputStream().write("220 speak\r\n".getBytes(StandardCharsets.US_ASCII));
        socket.getInputStream().transferTo(socket.getOutputStream());
    }
}
