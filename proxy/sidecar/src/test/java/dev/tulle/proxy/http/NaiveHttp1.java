package dev.tulle.proxy.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A second reader of HTTP/1.1 messages, written from the grammar alone with regular expressions, to be compared with ours: whatever ours
 * accepts, this one must read in the same way. Source: RFC 9112, sections 2 to 7.
 */
final class NaiveHttp1 {
    private static final String TOKEN = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
    private static final Pattern REQUEST_LINE = Pattern.compile("(" + TOKEN + ") ([!-~]+) HTTP/1\\.[01]");
    private static final Pattern STATUS_LINE =
            Pattern.compile("HTTP/1\\.[01] ([1-5][0-9][0-9])( [\\t -~\\x80-\\xff]*)?");
    private static final Pattern FIELD = Pattern.compile("(" + TOKEN + "):[ \\t]*([\\t -~\\x80-\\xff]*?)[ \\t]*");
    private static final Pattern CHUNK = Pattern.compile("([0-9A-Fa-f]+)(?:[ \\t]*;[\\t -~\\x80-\\xff]*)?");

    private final String text;
    private int at;

    private NaiveHttp1(String text) {
        this.text = text;
    }

    /**
     * One message.
     *
     * @param first method and target, or the status
     */
    record Message(String first, String body) {}

    /** The whole requests at the beginning of a text, up to the first that is broken or unfinished. */
    static List<Message> requests(String text) {
        NaiveHttp1 reader = new NaiveHttp1(text);
        List<Message> found = new ArrayList<>();
        for (Optional<Message> next = reader.request(); next.isPresent(); next = reader.request()) {
            found.add(next.get());
        }
        return found;
    }

    /**
     * The final answer at the beginning of a text, interim ones passed over; empty when it is broken or unfinished.
     *
     * @param head whether it answers HEAD
     */
    static Optional<Message> answer(String text, boolean head) {
        NaiveHttp1 reader = new NaiveHttp1(text);
        while (true) {
            Optional<List<String>> lines = reader.head();
            if (lines.isEmpty()) {
                return Optional.empty();
            }
            Matcher line = STATUS_LINE.matcher(lines.get().getFirst());
            Optional<Framing> framing = framing(lines.get());
            if (!line.matches() || framing.isEmpty()) {
                return Optional.empty();
            }
            int status = Integer.parseInt(line.group(1));
            if (status < 200) {
                continue;
            }
            if (head || status == 204 || status == 304) {
                return Optional.of(new Message(line.group(1), ""));
            }
            if (!framing.get().chunked() && framing.get().length() < 0) {
                return Optional.of(new Message(line.group(1), text.substring(reader.at)));
            }
            return reader.body(framing.get()).map(body -> new Message(line.group(1), body));
        }
    }

    private Optional<Message> request() {
        if (text.startsWith("\r\n", at)) {
            at += 2;
        }
        Optional<List<String>> lines = head();
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        Matcher line = REQUEST_LINE.matcher(lines.get().getFirst());
        Optional<Framing> framing = framing(lines.get());
        if (!line.matches() || framing.isEmpty() || framing.get().hosts() != 1) {
            return Optional.empty();
        }
        return body(framing.get()).map(body -> new Message(line.group(1) + " " + line.group(2), body));
    }

    private Optional<List<String>> head() {
        int end = text.indexOf("\r\n\r\n", at);
        if (end < 0) {
            return Optional.empty();
        }
        List<String> lines = List.of(text.substring(at, end).split("\r\n", -1));
        at = end + 4;
        return Optional.of(lines);
    }

    private record Framing(int hosts, boolean chunked, long length) {}

    private static Optional<Framing> framing(List<String> lines) {
        int hosts = 0;
        int encodings = 0;
        int lengths = 0;
        long length = -1;
        for (String line : lines.subList(1, lines.size())) {
            Matcher field = FIELD.matcher(line);
            if (!field.matches()) {
                return Optional.empty();
            }
            switch (field.group(1).toLowerCase(Locale.ROOT)) {
                case "host" -> hosts++;
                case "transfer-encoding" -> {
                    encodings++;
                    if (!field.group(2).equalsIgnoreCase("chunked")) {
                        return Optional.empty();
                    }
                }
                case "content-length" -> {
                    lengths++;
                    if (!field.group(2).matches("[0-9]{1,18}")) {
                        return Optional.empty();
                    }
                    length = Long.parseLong(field.group(2));
                }
                default -> {}
            }
        }
        return encodings + lengths > 1 ? Optional.empty() : Optional.of(new Framing(hosts, encodings == 1, length));
    }

    private Optional<String> body(Framing framing) {
        if (!framing.chunked()) {
            return take(Math.max(0, framing.length()));
        }
        StringBuilder body = new StringBuilder();
        while (true) {
            Optional<String> line = line();
            Matcher size = CHUNK.matcher(line.orElse(""));
            if (!size.matches() || size.group(1).length() > 15) {
                return Optional.empty();
            }
            long length = Long.parseLong(size.group(1), 16);
            if (length == 0) {
                for (Optional<String> trailer = line(); ; trailer = line()) {
                    if (trailer.isEmpty()) {
                        return Optional.empty();
                    }
                    if (trailer.get().isEmpty()) {
                        return Optional.of(body.toString());
                    }
                    if (!FIELD.matcher(trailer.get()).matches()) {
                        return Optional.empty();
                    }
                }
            }
            Optional<String> data = take(length);
            if (data.isEmpty() || !text.startsWith("\r\n", at)) {
                return Optional.empty();
            }
            at += 2;
            body.append(data.get());
        }
    }

    private Optional<String> line() {
        int end = text.indexOf("\r\n", at);
        if (end < 0) {
            return Optional.empty();
        }
        String line = text.substring(at, end);
        at = end + 2;
        return Optional.of(line);
    }

    private Optional<String> take(long length) {
        if (length > text.length() - at) {
            return Optional.empty();
        }
        String taken = text.substring(at, at + (int) length);
        at += (int) length;
        return Optional.of(taken);
    }
}
