package dev.tulle.conformance.mesh;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * An HTTP/2 client that writes the frames it is told to, wrong ones too, while a thread of its own reads what comes back.
 *
 * <p>Header fields are literals without indexing and without Huffman coding. Source: RFC 9113, section 4 and 6; RFC 7541, 6.2.2.
 */
public final class RawHttp2 implements AutoCloseable {
    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int PRIORITY = 2;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PUSH_PROMISE = 5;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;

    public static final int END_STREAM = 1;
    public static final int END_HEADERS = 4;
    public static final int PADDED = 8;
    public static final int ACK = 1;

    /** Error code of a GOAWAY to a peer that floods. */
    public static final int ENHANCE_YOUR_CALM = 11;

    private static final int KEPT_FRAMES = 100_000;

    private final Socket socket;
    private final List<Frame> frames = new CopyOnWriteArrayList<>();
    private final Thread reader;
    private volatile boolean closed;

    /** A frame as it came; its payload as ISO 8859-1. */
    public record Frame(int type, int flags, int stream, String payload) {
        /** The number in a RST_STREAM, or the error code in a GOAWAY. */
        public int errorCode() {
            return ByteBuffer.wrap(payload.getBytes(StandardCharsets.ISO_8859_1))
                    .getInt(type == GOAWAY ? 4 : 0);
        }
    }

    /** A header field; names are sent as they are. */
    public record Field(String name, String value) {}

    private RawHttp2(Socket socket) {
        this.socket = socket;
        this.reader = Thread.ofVirtual().start(this::read);
    }

    /** Says the preface and empty settings. */
    public static RawHttp2 over(Socket socket) throws IOException {
        RawHttp2 connection = new RawHttp2(socket);
        socket.setSoTimeout(0);
        socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        connection.frame(SETTINGS, 0, 0, new byte[0]);
        return connection;
    }

    /** The fields of an ordinary request. */
    public static List<Field> get(String path) {
        return List.of(
                new Field(":method", "GET"),
                new Field(":scheme", "http"),
                new Field(":path", path),
                new Field(":authority", "catalog"));
    }

    /** One frame; throws IOException when the other side has closed. */
    public void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(9 + payload.length);
        bytes.putInt((payload.length << 8) | type);
        bytes.put((byte) flags);
        bytes.putInt(stream);
        bytes.put(payload);
        socket.getOutputStream().write(bytes.array());
        socket.getOutputStream().flush();
    }

    /** Bytes as they are, whole frames or not. */
    public void raw(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** A whole header block in one HEADERS frame. */
    public void headers(int stream, boolean end, List<Field> fields) throws IOException {
        frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block(fields));
    }

    /** A 32-bit payload: an error code or a window. */
    public static byte[] number(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    /** The payload of a SETTINGS frame with one setting. */
    public static byte[] setting(int id, int value) {
        return ByteBuffer.allocate(6).putShort((short) id).putInt(value).array();
    }

    /** A header block. */
    public static byte[] block(List<Field> fields) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (Field field : fields) {
            block.write(0);
            text(block, field.name());
            text(block, field.value());
        }
        return block.toByteArray();
    }

    /** Frames read so far. */
    public List<Frame> frames() {
        return List.copyOf(frames);
    }

    /** Whether the other side has closed or reset the connection. */
    public boolean closed() {
        return closed;
    }

    /** Waits until a frame satisfies {@code wanted}, the connection ends or the bound is over; whether there was one. */
    public boolean await(Duration bound, Predicate<Frame> wanted) {
        long end = System.nanoTime() + bound.toNanos();
        while (true) {
            boolean over = closed || System.nanoTime() > end;
            if (frames.stream().anyMatch(wanted)) {
                return true;
            }
            if (over) {
                return false;
            }
            pause();
        }
    }

    /** Waits until the other side closes; whether it did. */
    public boolean awaitClose(Duration bound) {
        long end = System.nanoTime() + bound.toNanos();
        while (!closed && System.nanoTime() < end) {
            pause();
        }
        return closed;
    }

    @Override
    public void close() throws IOException {
        socket.close();
        reader.interrupt();
    }

    private void read() {
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            while (frames.size() < KEPT_FRAMES) {
                int lengthAndType = in.readInt();
                int flags = in.readUnsignedByte();
                int stream = in.readInt() & Integer.MAX_VALUE;
                byte[] payload = new byte[lengthAndType >>> 8];
                in.readFully(payload);
                frames.add(new Frame(
                        lengthAndType & 0xff, flags, stream, new String(payload, StandardCharsets.ISO_8859_1)));
            }
        } catch (IOException e) {
            closed = true;
        }
    }

    private static void text(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        if (bytes.length < 127) {
            block.write(bytes.length);
        } else {
            block.write(127);
            int rest = bytes.length - 127;
            while (rest >= 128) {
                block.write((rest & 127) | 128);
                rest >>>= 7;
            }
            block.write(rest);
        }
        block.writeBytes(bytes);
    }

    private static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
