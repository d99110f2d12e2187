package dev.tulle.controller.discovery;

import dev.tulle.controller.identity.AnyCertificate;
import dev.tulle.controller.identity.Attestor;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.CertificateAuthority.ServingIdentity;
import dev.tulle.controller.identity.PeerVerifier;
import dev.tulle.controller.identity.PeerVerifier.Judgement;
import dev.tulle.controller.identity.Pem;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.TrustOptions;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jboss.logging.Logger;

/**
 * The server that proxies call: TLS 1.3 and HTTP/2 only; enrolment, renewal, streams.
 *
 * <p>The TLS layer asks for a client certificate and takes any, so that the caller proves to hold its key; {@link PeerVerifier}
 * says for each request whether the certificate counts. That way a refusal can say why and what to do.
 */
public final class DiscoveryServer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(DiscoveryServer.class);
    private static final long STOP_SECONDS = 5;
    private static final long START_SECONDS = 30;
    private static final long HEADER_BYTES = 80 << 10;

    private final DiscoveryContext shared;
    private final CertificateAuthority authority;
    private final Enroller enroller;
    private final HostPort listen;
    private final AtomicInteger connections = new AtomicInteger();
    private ServingIdentity serving;
    private final HttpServer server;

    private DiscoveryServer(
            DiscoveryContext shared, CertificateAuthority authority, Attestor attestor, HostPort listen) {
        this.shared = shared;
        this.authority = authority;
        this.listen = listen;
        this.enroller = new Enroller(
                authority, attestor, shared.publisher()::current, shared.registry(), shared.limits(), shared.clock());
        this.serving = newIdentity();
        this.server = shared.vertx()
                .createHttpServer(options(shared.limits(), keys(serving)))
                .connectionHandler(this::connected)
                .requestHandler(this::request)
                .exceptionHandler(failure -> LOG.debugf("connection failed cause=%s", failure));
    }

    /**
     * Starts to listen.
     *
     * @param listen port 0 takes a free one, see {@link #port}
     * @param readinessChanged told, from event loops, that a workload may have become ready or unready; must not block
     * @throws IllegalStateException when it cannot listen there
     */
    public static DiscoveryServer start(
            Vertx vertx,
            CertificateAuthority authority,
            Attestor attestor,
            Publisher publisher,
            ProxyRegistry registry,
            Refusals refusals,
            StreamCounters counters,
            ReportSink reports,
            Runnable readinessChanged,
            HostPort listen,
            DiscoveryLimits limits,
            Clock clock) {
        DiscoveryContext shared = new DiscoveryContext(
                vertx, publisher, registry, refusals, counters, reports, readinessChanged, limits, clock);
        DiscoveryServer server = new DiscoveryServer(shared, authority, attestor, listen);
        await(server.server.listen(listen.port(), listen.host()), START_SECONDS, "listen on " + listen);
        return server;
    }

    /** The port it listens on. */
    public int port() {
        return server.actualPort();
    }

    /** Ends of the server's own certificate. */
    public synchronized Instant certificateEnds() {
        return serving.chain().getFirst().getNotAfter().toInstant();
    }

    /** Makes a new serving certificate when the old one ages or its issuer was replaced; open connections go on. */
    public synchronized void renewCertificate() {
        AuthorityState state = authority.state();
        boolean aged = !shared.clock().instant().isBefore(serving.renewAt());
        boolean reissued = !serving.issuerId()
                .equals(state.formerIssuer().orElse(state.issuer()).id());
        if (!aged && !reissued) {
            return;
        }
        ServingIdentity next = newIdentity();
        Future<Boolean> swapped =
                server.updateSSLOptions(options(shared.limits(), keys(next)).getSslOptions());
        await(swapped, START_SECONDS, "take a new certificate");
        serving = next;
    }

    /** Stops listening and ends the streams. */
    @Override
    public void close() {
        await(server.close(), STOP_SECONDS, "stop");
    }

    private ServingIdentity newIdentity() {
        List<String> names = new ArrayList<>(List.of("localhost"));
        List<String> addresses = new ArrayList<>(List.of("127.0.0.1", "::1"));
        if (listen.host().matches("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")) {
            if (!Set.of("0.0.0.0", "::").contains(listen.host()) && !addresses.contains(listen.host())) {
                addresses.add(listen.host());
            }
        } else if (!names.contains(listen.host())) {
            names.add(listen.host());
        }
        SpiffeId identity = new SpiffeId(authority.trustDomain(), "tulle-system", "tulle-controller");
        return authority.serve(identity, names, addresses);
    }

    private static PemKeyCertOptions keys(ServingIdentity identity) {
        return new PemKeyCertOptions()
                .addKeyValue(Buffer.buffer(Pem.of(identity.key())))
                .addCertValue(Buffer.buffer(Pem.of(identity.chain())));
    }

    private static HttpServerOptions options(DiscoveryLimits limits, PemKeyCertOptions keys) {
        return new HttpServerOptions()
                .setSsl(true)
                .setUseAlpn(true)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2))
                .setEnabledSecureTransportProtocols(Set.of("TLSv1.3"))
                .setClientAuth(ClientAuth.REQUEST)
                .setTrustOptions(TrustOptions.wrap(new AnyCertificate()))
                .setKeyCertOptions(keys)
                .setIdleTimeout((int) limits.idle().toSeconds())
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setMaxHeaderSize((int) HEADER_BYTES)
                .setCompressionSupported(false)
                .setInitialSettings(new Http2Settings()
                        .setMaxConcurrentStreams(limits.streamsPerConnection())
                        .setMaxHeaderListSize(HEADER_BYTES));
    }

    private void connected(HttpConnection connection) {
        if (connections.incrementAndGet() > shared.limits().connections()) {
            shared.counters().cut.increment();
            connection.close();
        }
        connection.closeHandler(closed -> connections.decrementAndGet());
    }

    private void request(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            answer(request, Optional.empty(), Answer.refusal(505, "Use HTTP/2."));
            return;
        }
        if (!request.method().equals(HttpMethod.POST)) {
            answer(request, Optional.empty(), Answer.refusal(405, "Use POST."));
            return;
        }
        switch (request.path()) {
            case "/v1/enroll" -> {
                Optional<String> token = Optional.ofNullable(request.getHeader("authorization"));
                String from = request.remoteAddress().hostAddress();
                certificate(request, named -> body -> enroller.enroll(token, named, from, body));
            }
            case "/v1/renew" -> {
                Judgement caller = judge(request);
                certificate(request, named -> body -> enroller.renew(caller, named, body));
            }
            case "/v1/stream" -> stream(request);
            default ->
                answer(
                        request,
                        Optional.empty(),
                        Answer.refusal(404, "There are /v1/enroll, /v1/renew and /v1/stream."));
        }
    }

    private void stream(HttpServerRequest request) {
        switch (judge(request)) {
            case Judgement.Refused(String sentence) -> answer(request, Optional.empty(), Answer.refusal(401, sentence));
            case Judgement.Proven proven ->
                new ProxyStream(shared, request, proven, shared.vertx().getOrCreateContext());
        }
    }

    private Judgement judge(HttpServerRequest request) {
        List<X509Certificate> chain = new ArrayList<>();
        try {
            for (Certificate certificate : request.connection().peerCertificates()) {
                chain.add((X509Certificate) certificate);
            }
        } catch (SSLPeerUnverifiedException e) {
            // It showed none: the empty chain says so.
        }
        return PeerVerifier.judge(chain, authority.state(), shared.clock().instant());
    }

    /** Reads the bounded body, then works the answer out off the event loop: it takes signatures. */
    private void certificate(
            HttpServerRequest request, Function<Optional<WorkloadId>, Function<String, Enroller.Outcome>> work) {
        Optional<WorkloadId> named;
        try {
            named = Optional.ofNullable(request.getParam("workload")).map(WorkloadId::parse);
        } catch (IllegalArgumentException e) {
            answer(request, Optional.empty(), Answer.refusal(400, "The parameter 'workload' is not namespace/name."));
            return;
        }
        Buffer body = Buffer.buffer();
        long late = shared.vertx().setTimer(shared.limits().hello().toMillis(), id -> {
            if (!request.isEnded()) {
                answer(request, named, Answer.refusal(408, "The body did not come in time."));
            }
        });
        request.exceptionHandler(failure -> shared.vertx().cancelTimer(late));
        request.handler(bytes -> {
            if (body.length() + bytes.length() <= shared.limits().bodyBytes()) {
                body.appendBuffer(bytes);
            } else if (!request.response().ended()) {
                answer(
                        request,
                        named,
                        Answer.refusal(
                                413,
                                "The body is longer than %d bytes."
                                        .formatted(shared.limits().bodyBytes())));
            }
        });
        request.endHandler(end -> {
            shared.vertx().cancelTimer(late);
            if (!request.response().ended()) {
                Supplier<Enroller.Outcome> outcome = () -> work.apply(named).apply(body.toString());
                shared.vertx().executeBlocking(outcome::get, false).onComplete(done -> {
                    if (done.succeeded()) {
                        answer(request, done.result().workload(), done.result().answer());
                    } else {
                        LOG.error("enrolment failed", done.cause());
                        answer(request, named, Answer.refusal(500, "The controller failed; its log says why."));
                    }
                });
            }
        });
    }

    private void answer(HttpServerRequest request, Optional<WorkloadId> workload, Answer answer) {
        String who = workload.map(WorkloadId::toString).orElseGet(() -> String.valueOf(request.remoteAddress()));
        if (answer.status() == 200) {
            shared.counters().certificates.increment();
            LOG.infof("certificate given workload=%s", who);
        } else {
            shared.counters().refused.increment();
            if (answer.status() != Answer.NOT_YET) {
                shared.refusals().note(who, answer.sentence(), shared.clock().instant());
            }
            LOG.warnf(
                    "request refused workload=%s path=%s status=%d cause=%s",
                    who, request.path(), answer.status(), answer.sentence());
        }
        send(request.response(), answer);
    }

    static void send(HttpServerResponse response, Answer answer) {
        if (!response.ended() && !response.closed()) {
            response.setStatusCode(answer.status())
                    .putHeader("content-type", "application/json")
                    .end(answer.body());
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
