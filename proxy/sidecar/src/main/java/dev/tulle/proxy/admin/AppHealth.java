package dev.tulle.proxy.admin;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the proxy asks the application in the kubelet's stead: probes that mean nothing, or cannot be let in, when they come through a
 * redirect.
 *
 * @param questions by what follows {@code /app-health/} in the path on the admin port, as {@code web/livez}
 */
public record AppHealth(Map<String, Question> questions) {
    /** Nothing is asked. */
    public static final AppHealth NONE = new AppHealth(Map.of());

    /** Path before a question's name. */
    static final String PATH = "/app-health/";

    private static final int MAX_QUESTIONS = 256;
    private static final int MAX_HEADERS = 64;
    private static final int MAX_SECONDS = 60;

    public AppHealth {
        questions = Map.copyOf(questions);
    }

    /**
     * One question, well with a connection, or with an answer from 200 to 399 where HTTP is asked for.
     *
     * @param port of the application, at the address where the kubelet asked
     * @param http absent for a TCP connect
     * @param timeout for all of it, 1 to 60 s
     */
    public record Question(int port, Optional<Http> http, Duration timeout) {
        public Question {
            requireNonNull(http, "http");
            if (port < 1 || port > 65535) {
                throw new IllegalArgumentException("port is %d, not 1 to 65535".formatted(port));
            }
        }
    }

    /**
     * A GET.
     *
     * @param secure by TLS, whatever certificate is shown, as the kubelet does
     * @param path with its query, beginning with a slash
     * @param headers in order
     */
    public record Http(boolean secure, String path, List<Header> headers) {
        public Http {
            requireNonNull(path, "path");
            headers = List.copyOf(headers);
        }
    }

    /** One header field of a question. */
    public record Header(String name, String value) {
        public Header {
            requireNonNull(name, "name");
            requireNonNull(value, "value");
        }
    }

    /**
     * Reads the injector's text: an object of questions, shaped as probes of a pod, ports as numbers:
     * {@code {"web/livez":{"tcpSocket":{"port":3306},"timeoutSeconds":1}}}. What it does not know is ignored.
     *
     * @throws IllegalArgumentException that names the question and what is wrong with it
     */
    public static AppHealth parse(String json) {
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("not a JSON object");
            }
            Map<String, Question> questions = new LinkedHashMap<>();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                try {
                    questions.put(name, question(parser));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("%s: %s".formatted(name, e.getMessage()), e);
                }
                if (questions.size() > MAX_QUESTIONS) {
                    throw new IllegalArgumentException("more than %d questions".formatted(MAX_QUESTIONS));
                }
            }
            return new AppHealth(questions);
        } catch (IOException e) {
            throw new IllegalArgumentException("not JSON: " + e.getMessage(), e);
        }
    }

    /** What was read of one question. */
    private static final class Draft {
        private int port;
        private boolean http;
        private boolean secure;
        private String path = "/";
        private final List<Header> headers = new ArrayList<>();
        private int seconds = 1;

        Question whole() {
            String rooted = path.startsWith("/") ? path : "/" + path;
            return new Question(
                    port,
                    http ? Optional.of(new Http(secure, rooted, headers)) : Optional.empty(),
                    Duration.ofSeconds(Math.clamp(seconds, 1, MAX_SECONDS)));
        }
    }

    private static Question question(JsonParser parser) throws IOException {
        Draft draft = new Draft();
        expect(parser, JsonToken.START_OBJECT);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (field) {
                case "timeoutSeconds" -> draft.seconds = parser.getIntValue();
                case "tcpSocket", "httpGet" -> {
                    draft.http = field.equals("httpGet");
                    expect(parser, JsonToken.START_OBJECT);
                    handler(parser, draft);
                }
                default -> skip(parser, value);
            }
        }
        return draft.whole();
    }

    private static void handler(JsonParser parser, Draft draft) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (field) {
                case "port" -> draft.port = parser.getIntValue();
                case "path" -> draft.path = parser.getText();
                case "scheme" -> draft.secure = parser.getText().equals("HTTPS");
                case "httpHeaders" -> {
                    expect(parser, JsonToken.START_ARRAY);
                    while (parser.nextToken() == JsonToken.START_OBJECT) {
                        draft.headers.add(header(parser));
                    }
                    if (draft.headers.size() > MAX_HEADERS) {
                        throw new IllegalArgumentException("more than %d headers".formatted(MAX_HEADERS));
                    }
                }
                default -> skip(parser, value);
            }
        }
    }

    private static Header header(JsonParser parser) throws IOException {
        String name = "";
        String text = "";
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (field) {
                case "name" -> name = parser.getText();
                case "value" -> text = parser.getText();
                default -> skip(parser, value);
            }
        }
        return new Header(name, text);
    }

    private static void expect(JsonParser parser, JsonToken wanted) {
        if (parser.currentToken() != wanted) {
            throw new IllegalArgumentException("not a probe of a pod");
        }
    }

    private static void skip(JsonParser parser, JsonToken value) throws IOException {
        if (value.isStructStart()) {
            parser.skipChildren();
        }
    }
}
