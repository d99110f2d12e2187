package dev.tulle.conformance.mesh;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** An HTTP/1.1 application that gives back a sized body as it comes, or, asked for {@code /endless}, sends without end. */
public final class StreamingOrigin implements AutoCloseable {
    private final ServerSocket server;
    private final AtomicLong sent = new AtomicLong();

    public StreamingOrigin() {
        try {
            server = new ServerSocket();
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Body bytes written so far. */
    public long sent() {
        return sent.get();
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (true) {
            try {
                Socket socket = server.accept();
                Thread.ofPlatform().daemon().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream(), 256 << 10);
            OutputStream out = socket.getOutputStream();
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int next = in.read();
                if (next < 0) {
                    return;
                }
                head.append((char) next);
            }
            boolean endless = head.indexOf("GET /endless ") == 0;
            long length = endless
                    ? Long.MAX_VALUE
                    : Long.parseLong(head.toString().replaceAll("(?is).*\r\ncontent-length: *(\\d+)\r\n.*", "$1"));
            String framing = endless ? "transfer-encoding: chunked" : "content-length: " + length;
            out.write("HTTP/1.1 200 OK\r\n%s\r\n\r\n".formatted(framing).getBytes(StandardCharsets.US_ASCII));
            byte[] block = new byte[64 << 10];
            long left = length;
            while (left > 0) {
                int count = endless ? block.length : in.read(block, 0, (int) Math.min(left, block.length));
                if (count < 0) {
                    return;
                }
                if (endless) {
                    out.write((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                }
                out.write(block, 0, count);
                if (endless) {
                    out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
                }
                sent.addAndGet(count);
                left -= count;
            }
        } catch (IOException e) {
            // The other side went.
        }
    }
}
