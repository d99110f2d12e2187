package dev.tulle.controller.kubernetes;

import dev.tulle.proxy.model.HostPort;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/** Liveness, readiness and metrics, for the kubelet and Prometheus: read only, and nothing else of the controller. */
public final class AdminServer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(AdminServer.class);
    private static final int MOST_CONNECTIONS = 100;
    private static final Duration IDLE = Duration.ofSeconds(30);
    private static final long START_SECONDS = 10;
    private static final long STOP_SECONDS = 2;

    private final HttpServer server;
    private final Supplier<Optional<String>> unready;
    private final Supplier<String> metrics;
    private final Vertx vertx;
    private final AtomicInteger connections = new AtomicInteger();

    private AdminServer(Vertx vertx, Supplier<Optional<String>> unready, Supplier<String> metrics) {
        this.vertx = vertx;
        this.unready = unready;
        this.metrics = metrics;
        this.server = vertx.createHttpServer(new HttpServerOptions()
                        .setIdleTimeout((int) IDLE.toSeconds())
                        .setIdleTimeoutUnit(TimeUnit.SECONDS)
                        .setMaxHeaderSize(8 << 10))
                .connectionHandler(connection -> {
                    connection.closeHandler(closed -> connections.decrementAndGet());
                    if (connections.incrementAndGet() > MOST_CONNECTIONS) {
                        connection.close();
                    }
                })
                .requestHandler(this::answer);
    }

    /**
     * Starts to listen.
     *
     * @param unready why this replica is not ready; absent when it is
     * @param metrics Prometheus text; may take a while
     * @throws IllegalStateException when it cannot listen there
     */
    public static AdminServer start(
            Vertx vertx, HostPort listen, Supplier<Optional<String>> unready, Supplier<String> metrics) {
        AdminServer admin = new AdminServer(vertx, unready, metrics);
        try {
            admin.server
                    .listen(listen.port(), listen.host())
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(START_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: could not listen on " + listen, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("could not listen on " + listen, e);
        }
        return admin;
    }

    /** The port it listens on. */
    public int port() {
        return server.actualPort();
    }

    private void answer(HttpServerRequest request) {
        String method = request.method().name();
        if (!method.equals("GET") && !method.equals("HEAD")) {
            send(request.response(), 405, "text/plain", "There is only GET.\n");
            return;
        }
        switch (request.path() == null ? "" : request.path()) {
            case "/livez" -> send(request.response(), 200, "text/plain", "ok\n");
            case "/readyz" -> {
                Optional<String> why = unready.get();
                send(request.response(), why.isEmpty() ? 200 : 503, "text/plain", why.orElse("ok") + "\n");
            }
            case "/metrics" ->
                vertx.executeBlocking(metrics::get, false).onComplete(text -> {
                    if (text.succeeded()) {
                        send(request.response(), 200, "text/plain; version=0.0.4; charset=utf-8", text.result());
                    } else {
                        LOG.error("metrics not written", text.cause());
                        send(request.response(), 500, "text/plain", "The log says why.\n");
                    }
                });
            default -> send(request.response(), 404, "text/plain", "There are /livez, /readyz and /metrics.\n");
        }
    }

    private static void send(HttpServerResponse response, int status, String type, String body) {
        if (!response.ended() && !response.closed()) {
            response.setStatusCode(status).putHeader("content-type", type).end(body);
        }
    }

    @Override
    public void close() {
        try {
            server.close().toCompletionStage().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.debugf("admin server not closed in time cause=%s", e);
        }
    }
}
