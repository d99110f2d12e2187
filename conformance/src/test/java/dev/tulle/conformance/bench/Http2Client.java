package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.RawConnection;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One HTTP/2 connection with prior knowledge that asks the same again and again, a number of streams at a time. */
final class Http2Client implements AutoCloseable {
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int ACK = 1;
    private static final int READ_BOUND_MILLIS = 5_000;
    private static final int STATUS_200 = 0x88;
    /** HPACK: scheme http, path /, authority x, all from the static table or literal; the method is written before. */
    private static final byte[] HEAD = {(byte) 0x86, (byte) 0x84, 0x01, 0x01, 'x'};

    private static final byte[] MESSAGE = {0, 0, 0, 0, 3, 'a', 'b', 'c'};

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private final boolean post;
    private int nextStream = 1;

    /** {@code post}: as gRPC does, with a message. */
    Http2Client(int port, boolean post) throws IOException {
        this.post = post;
        socket = RawConnection.dial(port);
        socket.setSoTimeout(READ_BOUND_MILLIS);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 1 << 14));
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        frame(SETTINGS, 0, 0, new byte[0]);
    }

    /** Sends one request. */
    void ask() throws IOException {
        byte[] head = new byte[HEAD.length + 1];
        head[0] = (byte) (post ? 0x83 : 0x82);
        System.arraycopy(HEAD, 0, head, 1, HEAD.length);
        frame(HEADERS, END_HEADERS | (post ? 0 : END_STREAM), nextStream, head);
        if (post) {
            frame(DATA, END_STREAM, nextStream, MESSAGE);
        }
        nextStream += 2;
    }

    /** Waits until one answer is complete; whether every head of an answer that was read meanwhile said 200. */
    boolean answered() throws IOException {
        boolean good = true;
        if (in.available() == 0) {
            out.flush();
        }
        while (true) {
            int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            in.readInt();
            byte[] payload = in.readNBytes(length);
            switch (type) {
                case HEADERS -> good &= (flags & END_STREAM) != 0 || (payload[0] & 0xff) == STATUS_200;
                case DATA -> {
                    if (length > 0) {
                        frame(WINDOW_UPDATE, 0, 0, new byte[] {0, 0, (byte) (length >> 8), (byte) length});
                    }
                }
                case SETTINGS -> {
                    if ((flags & ACK) == 0) {
                        frame(SETTINGS, ACK, 0, new byte[0]);
                    }
                }
                case PING -> {
                    if ((flags & ACK) == 0) {
                        frame(PING, ACK, 0, payload);
                    }
                }
                case GOAWAY -> throw new IOException("the connection was given up: GOAWAY");
                default -> {
                    // The rest changes nothing here: requests are far smaller than any window.
                }
            }
            if ((type == HEADERS || type == DATA) && (flags & END_STREAM) != 0) {
                return good;
            }
            if (type == RST_STREAM) {
                return false;
            }
            if (in.available() == 0) {
                out.flush();
            }
        }
    }

    private void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        out.writeByte(payload.length >> 16);
        out.writeShort(payload.length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(stream);
        out.write(payload);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
