package dev.tulle.proxy.identity;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** PEM blocks: text between a BEGIN and an END line. Source: RFC 7468. */
final class Pem {
    private static final int LINE = 64;

    private Pem() {}

    /** The base64 bodies of all blocks with this label, in order. */
    static List<String> blocks(String text, String label) {
        String begin = "-----BEGIN " + label + "-----";
        String end = "-----END " + label + "-----";
        List<String> bodies = new ArrayList<>();
        int from = text.indexOf(begin);
        while (from >= 0) {
            int to = text.indexOf(end, from);
            if (to < 0) {
                throw new IllegalArgumentException("a PEM block '%s' has no end line".formatted(label));
            }
            bodies.add(text.substring(from + begin.length(), to).strip());
            from = text.indexOf(begin, to);
        }
        return bodies;
    }

    /** One block, with its line ends. */
    static String block(String label, byte[] content) {
        String body = Base64.getMimeEncoder(LINE, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
    }
}
