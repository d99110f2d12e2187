package dev.tulle.conformance.mesh;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** An HTTP/1.1 application that gives back a sized body as it comes, or, asked for {@code /endless}, sends without end. */
public final class StreamingOrigin implements AutoCloseable {
    private final Listening server;
    private final AtomicLong sent = new AtomicLong();

    public StreamingOrigin() {
        server = new Listening(this::serve);
    }

    public int port() {
        return server.port();
    }

    /** Body bytes written so far. */
    public long sent() {
        return sent.get();
    }

    @Override
    public void close() {
        server.close();
    }

    private void serve(Socket socket, int number) throws IOException {
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
    }
}
