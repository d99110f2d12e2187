package dev.tulle.cli;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** Answers as a controller would, from recorded JSON, and remembers what it was asked. */
final class FakeController implements AutoCloseable {
    private final HttpServer server;
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private record Answer(int status, String body) {}

    FakeController() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
            Answer answer = answers.getOrDefault(
                    exchange.getRequestURI().getPath(), new Answer(404, "{\"error\":\"There is no such page.\"}"));
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    /** Answers {@code path}, whatever its query, with 200 and {@code body}. */
    FakeController with(String path, String body) {
        return with(path, 200, body);
    }

    FakeController with(String path, int status, String body) {
        answers.put(path, new Answer(status, body));
        return this;
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    List<String> asked() {
        return asked;
    }

    @Override
    public void close() {
        server.stop(0);
    }

    /** A mesh in which all is well. */
    static FakeController content() throws IOException {
        return new FakeController()
                .with("/readyz", "{\"status\":\"UP\"}")
                .with("/api/v1/mesh", """
                        {"trustDomain":"cluster.local","generation":3,"services":[],
                         "workloads":[{"name":"shop/web-1","owner":"shop/web"},{"name":"shop/catalog-1","owner":"shop/catalog"}],
                         "splits":[],"problems":[]}""")
                .with("/api/v1/proxies", """
                        {"proxies":[%s,%s]}""".formatted(proxy("shop/web-1", true), proxy("shop/catalog-1", true)))
                .with("/api/v1/ca", ca("settled"))
                .with("/api/v1/problems", "{\"problems\":[]}");
    }

    static String proxy(String workload, boolean connected) {
        return """
                {"workload":"%s","instance":"i","version":"0.1.0","connected":%s,"since":"2026-01-01T00:00:00Z","sent":7,"acked":7,
                 "lagSeconds":0,"nack":null,"certificateExpiry":"2999-01-01T00:00:00Z","issuer":"ab","connections":4,"ready":true,
                 "detail":""}""".formatted(workload, connected);
    }

    static String ca(String phase) {
        return """
                {"trustDomain":"cluster.local",
                 "anchors":[{"sha256":"00","id":"r1","notBefore":"2026-01-01T00:00:00Z","notAfter":"2999-01-01T00:00:00Z","pem":""}],
                 "issuer":{"id":"i1","notBefore":"2026-01-01T00:00:00Z","notAfter":"2999-01-01T00:00:00Z"},
                 "rotation":{"phase":"%s","generation":2,"since":"2026-01-01T00:00:00Z","waitingFor":["shop/web-1"]}}""".formatted(phase);
    }
}
