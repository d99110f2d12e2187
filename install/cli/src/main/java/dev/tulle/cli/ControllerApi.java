package dev.tulle.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** The controller's HTTP API as a client sees it; the shapes are told in {@code controller/server/README.md}. */
final class ControllerApi implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(15);
    private static final int MAX_ANSWER_BYTES = 64 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    private final URI server;
    private final Runnable atEnd;
    private final String cure;

    /** @param cure what to do when nobody answers */
    ControllerApi(URI server, String cure) {
        this(server, cure, () -> {});
    }

    private ControllerApi(URI server, String cure, Runnable atEnd) {
        this.server = server;
        this.cure = cure;
        this.atEnd = atEnd;
    }

    /** The API at the other end of a way that ends with it. */
    static ControllerApi through(PortForward way) {
        return new ControllerApi(way.address(), "look at the controller: kubectl -n tulle-system get pods", way::close);
    }

    @Override
    public void close() {
        atEnd.run();
    }

    /** The controller gave no usable answer; the message is one sentence with the cure. */
    static final class NoAnswer extends Exception {
        private final String cause;
        private final String cure;

        /** @param cure empty where there is none */
        NoAnswer(String cause, String cure) {
            super(cure.isEmpty() ? cause : cause + ": " + cure);
            this.cause = cause;
            this.cure = cure;
        }

        Finding finding() {
            return Finding.error("controller-reachable", cause, cure);
        }
    }

    URI server() {
        return server;
    }

    /** The JSON at {@code path}, which starts with a slash. */
    JsonNode get(String path) throws NoAnswer {
        HttpResponse<byte[]> answer = fetch(path);
        JsonNode body;
        try {
            body = JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new NoAnswer(
                    "%s answered %d without JSON".formatted(server.resolve(path), answer.statusCode()),
                    "is this a Tulle controller?");
        } catch (IOException e) {
            throw new NoAnswer("%s: %s".formatted(server.resolve(path), e.getMessage()), "");
        }
        if (answer.statusCode() != 200) {
            throw new NoAnswer(
                    "the controller refused: %s".formatted(body.path("error").asText("status " + answer.statusCode())),
                    "");
        }
        return body;
    }

    /** The status with which {@code path} is answered. */
    int status(String path) throws NoAnswer {
        return fetch(path).statusCode();
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private HttpResponse<byte[]> fetch(String path) throws NoAnswer {
        try {
            return client.send(
                    HttpRequest.newBuilder(server.resolve(path))
                            .timeout(CALL_TIMEOUT)
                            .header("accept", "application/json")
                            .build(),
                    info -> HttpResponse.BodySubscribers.mapping(
                            HttpResponse.BodySubscribers.ofInputStream(), ControllerApi::readBounded));
        } catch (IOException e) {
            throw new NoAnswer("no controller answers at %s (%s)".formatted(server, why(e)), cure);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NoAnswer("interrupted", "");
        }
    }

    private static String why(IOException e) {
        if (e instanceof ConnectException && e.getMessage() == null) {
            return "nobody listens there";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static byte[] readBounded(InputStream body) {
        try (body) {
            return body.readNBytes(MAX_ANSWER_BYTES);
        } catch (IOException e) {
            return new byte[0];
        }
    }
}
