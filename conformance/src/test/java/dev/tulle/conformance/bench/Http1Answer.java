package dev.tulle.conformance.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Reads answers of the bench's application: HTTP/1.1 with a length. */
final class Http1Answer {
    private static final int BLOCK = 8192;

    private Http1Answer() {}

    /**
     * Reads one answer to its end.
     *
     * @throws IOException if it is none, is cut, or its status is not 200
     */
    static void skip(InputStream in) throws IOException {
        byte[] block = new byte[BLOCK];
        int filled = 0;
        int body = -1;
        int length = 0;
        while (body < 0 || filled < body + length) {
            int count = in.read(block, filled, block.length - filled);
            if (count <= 0) {
                throw new EOFException("an answer was cut");
            }
            filled += count;
            if (body < 0) {
                String text = new String(block, 0, filled, StandardCharsets.ISO_8859_1);
                int end = text.indexOf("\r\n\r\n");
                if (end >= 0) {
                    body = end + 4;
                    length = length(text.substring(0, end).toLowerCase(Locale.ROOT));
                }
            }
        }
    }

    private static int length(String head) throws IOException {
        int at = head.indexOf("\r\ncontent-length:");
        if (!head.startsWith("http/1.1 200") || at < 0) {
            throw new IOException("not the application's answer: " + head);
        }
        int end = head.indexOf("\r\n", at + 2);
        return Integer.parseInt(
                head.substring(at + 17, end < 0 ? head.length() : end).strip());
    }
}
