package dev.tulle.conformance.mesh;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * An HTTP/1.1 application that remembers what reached it, byte for byte, and answers whatever a test wants, broken answers too.
 *
 * <p>It reads requests as naively as a bad server would: the head up to the first empty line, then by {@code Transfer-Encoding}
 * or {@code Content-Length}, whichever it finds first. So bytes that were smuggled past a proxy show up as a request of their own.
 */
public final class RecordingOrigin implements AutoCloseable {
    private static final int MAX_HEAD = 1 << 20;

    private final Listening server;
    private final Answer answer;
    private final List<Received> received = new CopyOnWriteArrayList<>();
    private final List<Received> cut = new CopyOnWriteArrayList<>();

    /**
     * One request as it arrived.
     *
     * @param connection counts the connections of this origin, from 1
     * @param line the request line, without its end
     * @param fields header lines as they came, without their ends
     * @param body what the framing says is the body
     */
    public record Received(int connection, String line, List<String> fields, String body) {
        /** The second word of the request line. */
        public String target() {
            String[] words = line.split(" ", 3);
            return words.length > 1 ? words[1] : "";
        }

        /** All values of a header, as they came. */
        public List<String> values(String name) {
            String prefix = name.toLowerCase(Locale.ROOT) + ":";
            return fields.stream()
                    .filter(field -> field.toLowerCase(Locale.ROOT).startsWith(prefix))
                    .map(field -> field.substring(prefix.length()).strip())
                    .toList();
        }
    }

    /** Answers 200 with the request's target as body. */
    public RecordingOrigin() {
        this(request -> ok(request.target()));
    }

    /** Answers with these bytes, whatever they are; an empty array closes the connection instead, and so does an
     * answer that says {@code connection: close}, after it. */
    public RecordingOrigin(Function<Received, byte[]> answer) {
        this((Answer) (request, out) -> {
            byte[] bytes = answer.apply(request);
            out.write(bytes);
            return bytes.length > 0
                    && !new String(bytes, StandardCharsets.ISO_8859_1).contains("\r\nconnection: close\r\n");
        });
    }

    private RecordingOrigin(Answer answer) {
        this.answer = answer;
        server = new Listening(this::serve);
    }

    /** Answers piece by piece, in the time it wants. */
    public static RecordingOrigin answering(Answer answer) {
        return new RecordingOrigin(answer);
    }

    /** Writes an answer. */
    public interface Answer {
        /** Returns whether the connection goes on. */
        boolean write(Received request, OutputStream out) throws IOException, InterruptedException;
    }

    /** A plain answer. */
    public static byte[] ok(String body) {
        return bytes("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s"
                .formatted(body.length(), body));
    }

    /** ISO 8859-1, so that any byte can be written. */
    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    public int port() {
        return server.port();
    }

    /** Requests that arrived whole, in order of their end. */
    public List<Received> received() {
        return List.copyOf(received);
    }

    /** Whole requests with this target. */
    public List<Received> received(String target) {
        return received.stream()
                .filter(request -> request.target().equals(target))
                .toList();
    }

    /** Requests whose body ended before its framing said so. */
    public List<Received> cut() {
        return List.copyOf(cut);
    }

    /** Connections accepted so far. */
    public int connections() {
        return server.accepted();
    }

    @Override
    public void close() {
        server.close();
    }

    private void serve(Socket socket, int number) throws IOException, InterruptedException {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        while (true) {
            String head = readHead(in);
            if (head.isEmpty()) {
                return;
            }
            List<String> lines = head.lines().toList();
            Received request = new Received(number, lines.getFirst(), lines.subList(1, lines.size()), "");
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            try {
                readBody(request, in, body);
            } catch (IOException e) {
                cut.add(withBody(request, body));
                return;
            }
            Received whole = withBody(request, body);
            received.add(whole);
            if (!answer.write(whole, out)) {
                return;
            }
        }
    }

    private static Received withBody(Received request, ByteArrayOutputStream body) {
        return new Received(
                request.connection(), request.line(), request.fields(), body.toString(StandardCharsets.ISO_8859_1));
    }

    /** Up to and without the empty line; empty at the end of the connection. */
    public static String readHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (true) {
            int next = in.read();
            if (next < 0 || head.length() > MAX_HEAD) {
                return "";
            }
            head.append((char) next);
            if (head.length() >= 4 && head.substring(head.length() - 4).equals("\r\n\r\n")) {
                return head.substring(0, head.length() - 4);
            }
        }
    }

    private static void readBody(Received request, InputStream in, ByteArrayOutputStream body) throws IOException {
        List<String> encodings = request.values("transfer-encoding");
        List<String> lengths = request.values("content-length");
        if (!encodings.isEmpty()) {
            while (true) {
                int size = Integer.parseInt(readLine(in).split(";", 2)[0].strip(), 16);
                if (size == 0) {
                    while (!readLine(in).isEmpty()) {
                        // Trailers.
                    }
                    return;
                }
                copy(in, size, body);
                readLine(in);
            }
        } else if (!lengths.isEmpty()) {
            copy(in, Long.parseLong(lengths.getFirst()), body);
        }
    }

    private static void copy(InputStream in, long size, ByteArrayOutputStream body) throws IOException {
        byte[] buffer = new byte[8192];
        long left = size;
        while (left > 0) {
            int count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
            if (count < 0) {
                throw new EOFException("%d of %d bytes are missing".formatted(left, size));
            }
            body.write(buffer, 0, count);
            left -= count;
        }
    }

    private static String readLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("inside a line");
            }
            if (next == '\n') {
                return line.toString().stripTrailing();
            }
            line.append((char) next);
        }
    }
}
