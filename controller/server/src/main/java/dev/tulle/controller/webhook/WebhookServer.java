package dev.tulle.controller.webhook;

import dev.tulle.controller.identity.AnyCertificate;
import dev.tulle.controller.webhook.Hooks.Hook;
import dev.tulle.controller.webhook.Hooks.Outcome;
import dev.tulle.controller.webhook.Hooks.Reply;
import dev.tulle.proxy.model.HostPort;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.TrustOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The HTTPS server that the API server calls: {@code POST /inject}, {@code /validate}, {@code /convert}.
 *
 * <p>It listens from its first certificate on. Bodies, connections, reviews under way and time are bounded; what is beyond is answered at
 * once with an error, which the API server treats by its failure policy. It asks for a client certificate, takes any and needs none: webhooks
 * are called without, and further handlers look at it themselves.
 */
final class WebhookServer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(WebhookServer.class);
    private static final int THREADS = 8;
    private static final long START_SECONDS = 30;
    private static final long STOP_SECONDS = 5;
    private static final Reply LATE = Reply.refusal(503, Outcome.LIMITED, "The controller did not answer in time.");

    private final Vertx vertx;
    private final Hooks hooks;
    private final HostPort listen;
    private final WebhookLimits limits;
    private final WebhookMeters meters;
    private final Map<String, Handler<HttpServerRequest>> more;
    private final WorkerExecutor workers;
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger reviews = new AtomicInteger();
    private final AtomicInteger conversions = new AtomicInteger();
    private final AtomicLong conversionBytes = new AtomicLong();
    private @Nullable HttpServer server;
    private @Nullable ServingCertificate certificate;

    /**
     * Does not listen yet, see {@link #use}.
     *
     * @param more further handlers, by the first part of the paths they answer
     */
    WebhookServer(
            Vertx vertx,
            Hooks hooks,
            HostPort listen,
            WebhookLimits limits,
            WebhookMeters meters,
            Map<String, Handler<HttpServerRequest>> more) {
        this.more = Map.copyOf(more);
        this.vertx = vertx;
        this.hooks = hooks;
        this.listen = listen;
        this.limits = limits;
        this.meters = meters;
        this.workers = vertx.createSharedWorkerExecutor("tulle-webhook", THREADS);
        meters.underWay(reviews);
    }

    /**
     * Shows this certificate from now on; open connections go on. The first one makes it listen.
     *
     * @throws IllegalStateException when it cannot listen, or the certificate is unusable; then the former one stays
     */
    synchronized void use(ServingCertificate next) {
        if (next.equals(certificate)) {
            return;
        }
        if (server == null) {
            HttpServer starting = vertx.createHttpServer(options(next))
                    .connectionHandler(this::connected)
                    .requestHandler(this::request)
                    .exceptionHandler(failure -> LOG.debugf("connection failed cause=%s", failure));
            await(starting.listen(listen.port(), listen.host()), START_SECONDS, "listen on " + listen);
            server = starting;
            LOG.infof("webhooks served listen=%s", new HostPort(listen.host(), starting.actualPort()));
        } else {
            await(server.updateSSLOptions(options(next).getSslOptions()), START_SECONDS, "take a new certificate");
        }
        certificate = next;
    }

    /** The port it listens on; absent before the first certificate. */
    synchronized Optional<Integer> port() {
        return Optional.ofNullable(server).map(HttpServer::actualPort);
    }

    @Override
    public synchronized void close() {
        if (server != null) {
            await(server.close(), STOP_SECONDS, "stop");
        }
        workers.close();
    }

    private HttpServerOptions options(ServingCertificate shown) {
        return new HttpServerOptions()
                .setSsl(true)
                .setUseAlpn(true)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                .setEnabledSecureTransportProtocols(Set.of("TLSv1.2", "TLSv1.3"))
                .setKeyCertOptions(new PemKeyCertOptions()
                        .addCertValue(Buffer.buffer(shown.chain()))
                        .addKeyValue(Buffer.buffer(shown.key())))
                .setClientAuth(ClientAuth.REQUEST)
                .setTrustOptions(TrustOptions.wrap(new AnyCertificate()))
                .setMaxHeaderSize(limits.headerBytes())
                .setInitialSettings(new Http2Settings().setMaxHeaderListSize(limits.headerBytes()))
                .setIdleTimeout((int) limits.idle().toSeconds())
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setCompressionSupported(false);
    }

    private void connected(HttpConnection connection) {
        if (connections.incrementAndGet() > limits.connections()) {
            connection.close();
        }
        connection.closeHandler(closed -> connections.decrementAndGet());
    }

    private void request(HttpServerRequest request) {
        String path = request.path() == null ? "" : request.path();
        Handler<HttpServerRequest> further = more.get(firstPart(path));
        if (further != null) {
            further.handle(request);
            return;
        }
        Optional<Hook> hook = Arrays.stream(Hook.values())
                .filter(known -> known.path().equals(path))
                .findFirst();
        if (hook.isEmpty()) {
            end(request, Reply.refusal(404, Outcome.MALFORMED, "There are /inject, /validate and /convert."));
        } else if (!request.method().equals(HttpMethod.POST)) {
            finish(request, hook.get(), Reply.refusal(405, Outcome.MALFORMED, "Use POST."), System.nanoTime());
        } else {
            new Exchange(request, hook.get()).begin();
        }
    }

    /** {@code apis} of {@code /apis/group}. */
    private static String firstPart(String path) {
        int end = path.indexOf('/', 1);
        return path.startsWith("/") ? path.substring(1, end < 0 ? path.length() : end) : path;
    }

    /** One request, from its first byte to its answer. Touched on its own event loop, but for {@link #isAnswered}. */
    private final class Exchange {
        private final HttpServerRequest request;
        private final Hook hook;
        private final int most;
        private final long started = System.nanoTime();
        private final Buffer body = Buffer.buffer();
        private final AtomicBoolean isAnswered = new AtomicBoolean();
        private long timer;

        Exchange(HttpServerRequest request, Hook hook) {
            this.request = request;
            this.hook = hook;
            this.most = hook == Hook.CONVERT ? limits.conversionBytes() : limits.reviewBytes();
        }

        void begin() {
            int under = reviews.incrementAndGet();
            int converting = hook == Hook.CONVERT ? conversions.incrementAndGet() : 0;
            if (under > limits.reviews() || converting > limits.conversions()) {
                answer(Reply.refusal(429, Outcome.LIMITED, "Too many reviews are under way: try again."));
                return;
            }
            timer = vertx.setTimer(
                    limits.body().toMillis(),
                    id -> answer(Reply.refusal(408, Outcome.LIMITED, "The body did not come in time.")));
            request.exceptionHandler(failure -> answer(Reply.refusal(400, Outcome.MALFORMED, "The body broke off.")));
            request.handler(this::append);
            request.endHandler(end -> work());
        }

        private void append(Buffer bytes) {
            if (body.length() + bytes.length() > most) {
                answer(Reply.refusal(413, Outcome.LIMITED, "The review is longer than %d bytes.".formatted(most)));
            } else if (!isAnswered.get()) {
                body.appendBuffer(bytes);
                if (hook == Hook.CONVERT && conversionBytes.addAndGet(bytes.length()) > limits.allConversionBytes()) {
                    answer(Reply.refusal(429, Outcome.LIMITED, "Too much is under conversion: try again."));
                }
            }
        }

        private void work() {
            vertx.cancelTimer(timer);
            if (isAnswered.get()) {
                return;
            }
            timer = vertx.setTimer(limits.answer().toMillis(), id -> answer(LATE));
            // What was answered while it waited for a thread is not worked on: nobody would read it.
            workers.executeBlocking(() -> isAnswered.get() ? LATE : hooks.reply(hook, body.getBytes()), false)
                    .onComplete(done -> {
                        if (done.succeeded()) {
                            answer(done.result());
                        } else {
                            LOG.errorf(done.cause(), "review failed hook=%s", hook.label());
                            answer(Reply.refusal(500, Outcome.FAILED, "The controller failed; its log says why."));
                        }
                    });
        }

        private void answer(Reply reply) {
            if (isAnswered.compareAndSet(false, true)) {
                vertx.cancelTimer(timer);
                reviews.decrementAndGet();
                if (hook == Hook.CONVERT) {
                    conversions.decrementAndGet();
                    conversionBytes.addAndGet(-body.length());
                }
                finish(request, hook, reply, started);
            }
        }
    }

    private void finish(HttpServerRequest request, Hook hook, Reply reply, long started) {
        meters.answered(hook, reply.outcome(), System.nanoTime() - started);
        end(request, reply);
    }

    private static void end(HttpServerRequest request, Reply reply) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        boolean isUnread = !request.isEnded() && request.version() != HttpVersion.HTTP_2;
        Future<Void> sent = request.response()
                .setStatusCode(reply.status())
                .putHeader("content-type", "application/json")
                .end(reply.body());
        if (isUnread) {
            // What is left of the body must not be taken for the next request.
            sent.onComplete(done -> request.connection().close());
        }
    }

    private static <T> void await(Future<T> future, long seconds, String what) {
        try {
            future.toCompletionStage().toCompletableFuture().get(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: could not " + what, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("could not " + what, e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("could not %s within %d s".formatted(what, seconds), e);
        }
    }
}
