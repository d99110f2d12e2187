package dev.tulle.quickstart;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A wire with a tap: hands bytes between a port and another both ways, and keeps a copy of them while asked to.
 *
 * <p>{@code --check} puts it between two proxies to see what an eavesdropper would see. The copy is at most {@value #MAX_COPY} bytes.
 */
final class RecordingRelay implements AutoCloseable {
    private static final int MAX_COPY = 16 << 20;
    private static final int CONNECT_MILLIS = 2_000;
    private static final int CHUNK = 16 << 10;

    private final ServerSocket server;
    private final int target;
    private final ByteArrayOutputStream copy = new ByteArrayOutputStream();
    private boolean recording;

    private RecordingRelay(ServerSocket server, int target) {
        this.server = server;
        this.target = target;
    }

    /** Listens on {@code port} of 127.0.0.1 and hands on to {@code target} there. */
    static RecordingRelay start(int port, int target) throws IOException {
        ServerSocket server = new ServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 128);
        RecordingRelay relay = new RecordingRelay(server, target);
        Thread.ofPlatform().daemon().name("relay").start(relay::accept);
        return relay;
    }

    /** Forgets what was copied and copies from now on. */
    synchronized void record() {
        copy.reset();
        recording = true;
    }

    /** Stops copying; every byte that passed since {@link #record}, both ways, in order of arrival. */
    synchronized byte[] recorded() {
        recording = false;
        return copy.toByteArray();
    }

    /** Whether {@code bytes} hold the UTF-8 form of {@code text}. */
    static boolean contains(byte[] bytes, String text) {
        return new String(bytes, StandardCharsets.ISO_8859_1)
                .contains(new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void accept() {
        try {
            while (true) {
                Socket near = server.accept();
                Thread.ofVirtual().start(() -> join(near));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                System.err.println("relay: cannot accept any more: " + e);
            }
        }
    }

    private void join(Socket near) {
        try (near;
                Socket far = new Socket()) {
            near.setTcpNoDelay(true);
            far.setTcpNoDelay(true);
            far.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target), CONNECT_MILLIS);
            Thread back = Thread.ofVirtual().start(() -> pump(far, near));
            pump(near, far);
            back.join();
        } catch (IOException e) {
            // The far side is not there: the near side sees its connection closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Copies until the end of {@code from}, which it hands on; an error closes both. */
    private void pump(Socket from, Socket to) {
        byte[] chunk = new byte[CHUNK];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int length = in.read(chunk); length >= 0; length = in.read(chunk)) {
                keep(chunk, length);
                out.write(chunk, 0, length);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            try {
                from.close();
                to.close();
            } catch (IOException alsoOver) {
                // Over either way.
            }
        }
    }

    private synchronized void keep(byte[] chunk, int length) {
        if (recording && copy.size() + length <= MAX_COPY) {
            copy.write(chunk, 0, length);
        }
    }
}
