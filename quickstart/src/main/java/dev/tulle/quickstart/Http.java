package dev.tulle.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;

/** The supervisor's own calls: to the controller's API, to the applications' control ports and to the shop's page. */
final class Http {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(15);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();

    /** GET on 127.0.0.1; any status is an answer. */
    HttpResponse<String> get(int port, String path, Map<String, String> headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(CALL_TIMEOUT);
        headers.forEach(request::header);
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The JSON at {@code path}; throws IOException that names the status unless it is 200. */
    JsonNode json(int port, String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = get(port, path, Map.of());
        if (answer.statusCode() != 200) {
            throw new IOException("http://127.0.0.1:%d%s answered %d: %s"
                    .formatted(port, path, answer.statusCode(), answer.body().strip()));
        }
        return JSON.readTree(answer.body());
    }
}
