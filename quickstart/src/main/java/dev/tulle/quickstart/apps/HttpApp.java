package dev.tulle.quickstart.apps;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;

/** What the HTTP applications of the shop have in common: a server that records, and a client that passes headers on. */
final class HttpApp {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final int BACKLOG = 128;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);

    /** Headers of the user that every application hands on with the calls it makes for that user. */
    private static final List<String> PASSED_ON =
            List.of("user-agent", "cookie", "traceparent", "tracestate", "x-request-id", Seen.TAG_HEADER);

    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();

    private HttpApp() {}

    /** An answer: status, content type and body. */
    record Answer(int status, String contentType, String body) {
        static Answer json(String body) {
            return new Answer(200, "application/json", body);
        }

        static Answer text(int status, String body) {
            return new Answer(status, "text/plain; charset=utf-8", body + "\n");
        }
    }

    /** What one path answers; runs on a virtual thread and may block. */
    interface Page {
        Answer answer(Seen.Call call) throws IOException, InterruptedException;
    }

    /** Serves {@code page}, records each call in {@code seen}, and answers {@code /healthz} unrecorded. */
    static HttpServer serve(AppArguments arguments, Seen seen, Page page) throws IOException {
        HttpServer server = listen(arguments.listen());
        server.createContext("/", exchange -> {
            Seen.Call call = callOf(exchange);
            seen.add(call);
            reply(exchange, page, call);
        });
        server.createContext("/healthz", exchange -> reply(exchange, call -> Answer.text(200, "ok"), callOf(exchange)));
        server.start();
        return server;
    }

    /** The control port: {@code /seen} tells what the application received, {@code more} are paths of its own. */
    static HttpServer control(AppArguments arguments, Seen seen, Map<String, Page> more) throws IOException {
        HttpServer server = listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), arguments.control()));
        server.createContext(
                "/seen",
                exchange -> reply(
                        exchange,
                        call -> Answer.json(JSON.writeValueAsString(seen.snapshot(arguments))),
                        callOf(exchange)));
        more.forEach((path, page) -> server.createContext(path, exchange -> reply(exchange, page, callOf(exchange))));
        server.start();
        return server;
    }

    /** GET of {@code path} at {@code address}, for the user whose {@code call} caused it; any status is an answer. */
    static HttpResponse<String> get(String address, String path, Seen.Call call)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://" + address + path)).timeout(CALL_TIMEOUT);
        for (String name : PASSED_ON) {
            String value = call.headers().get(name);
            if (value != null) {
                request.header(name, value);
            }
        }
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpServer listen(InetSocketAddress address) throws IOException {
        HttpServer server = HttpServer.create(address, BACKLOG);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        return server;
    }

    private static Seen.Call callOf(HttpExchange exchange) {
        Map<String, String> headers = new TreeMap<>();
        exchange.getRequestHeaders()
                .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), String.join(", ", values)));
        return new Seen.Call(
                exchange.getRequestMethod(), exchange.getRequestURI().toString(), headers);
    }

    private static void reply(HttpExchange exchange, Page page, Seen.Call call) throws IOException {
        try (exchange) {
            exchange.getRequestBody().skip(Long.MAX_VALUE);
            Answer answer;
            try {
                answer = page.answer(call);
            } catch (IOException e) {
                answer = Answer.text(502, "%s %s: %s".formatted(call.method(), call.path(), e));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer = Answer.text(503, "going down");
            }
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("content-type", answer.contentType());
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.sendResponseHeaders(answer.status(), -1);
            } else {
                exchange.sendResponseHeaders(answer.status(), body.length);
                exchange.getResponseBody().write(body);
            }
        }
    }
}
