package dev.tulle.proxy.identity;

import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.Enrollment;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.telemetry.ControlMeters;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Gets this proxy its certificate and renews it in time, with a fresh key each time.
 *
 * <p>The first one by join token, unless the identity directory holds one that still counts; later ones by the certificate itself: at
 * two thirds of its life, or at once when the controller signs with another issuer. What fails is tried again for ever, with growing
 * pauses. Everything after {@link #prepare} happens on the control loop.
 */
public final class Enroller {
    private static final Duration LEAST_PAUSE = Duration.ofSeconds(1);
    private static final Duration MOST_PAUSE = Duration.ofSeconds(30);
    private static final Duration LOOK_AT_CLOCK = Duration.ofMinutes(1);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
    private static final long ISSUER_JITTER_MILLIS = 2000;

    private final Wiring wiring;
    private final HostPort controller;
    private final WorkloadId workload;
    private final Optional<TokenFile> tokenFile;
    private final Optional<IdentityDirectory> directory;
    private final Backoff backoff;
    private final Promise<Svid> first;
    private @Nullable Svid svid;
    private @Nullable TrustBundle trust;
    private @Nullable Future<?> timer;
    private boolean trustFromStream;
    private boolean busy;
    private boolean renewalRefused;
    private boolean closed;

    /** What an enroller works with. */
    public record Wiring(
            EventLoop loop,
            Transport transport,
            TlsContexts contexts,
            ControlMeters meters,
            Log log,
            Clock clock,
            RandomGenerator random) {}

    /** A 4xx of the controller, with its sentence. */
    private static final class RefusedEnrollment extends Exception {
        RefusedEnrollment(String sentence) {
            super(sentence);
        }
    }

    private Enroller(
            Wiring wiring,
            HostPort controller,
            WorkloadId workload,
            Optional<TokenFile> tokenFile,
            Optional<IdentityDirectory> directory) {
        this.wiring = wiring;
        this.controller = controller;
        this.workload = workload;
        this.tokenFile = tokenFile;
        this.directory = directory;
        this.backoff = new Backoff(LEAST_PAUSE, MOST_PAUSE, wiring.random());
        this.first = wiring.loop().newPromise();
    }

    /**
     * Looks at what there is: a certificate of an earlier run, a token, or both. Blocks on files; call it from the starting thread.
     *
     * @param asked the workload of the command line; absent means the token's
     * @throws UnusableIdentity if there is nothing to start with
     */
    public static Enroller prepare(
            Wiring wiring,
            HostPort controller,
            Optional<WorkloadId> asked,
            Optional<TokenFile> tokenFile,
            Optional<IdentityDirectory> directory)
            throws UnusableIdentity {
        Optional<IdentityDirectory.Found.Kept> kept = directory.flatMap(d -> kept(d, wiring));
        Optional<TokenFile.Token> token = Optional.empty();
        boolean waits = tokenFile.isPresent() && tokenFile.get().isOfPlatform();
        if (tokenFile.isPresent()) {
            // With a certificate at hand an expired or vanished token is no obstacle, nor where the platform brings it.
            try {
                token = Optional.of(
                        kept.isPresent()
                                ? tokenFile.get().read()
                                : tokenFile.get().readValid());
            } catch (UnusableIdentity e) {
                if (kept.isEmpty() && !waits) {
                    throw e;
                }
            }
        } else if (kept.isEmpty()) {
            throw new UnusableIdentity("there is no certificate in --identity-dir and no --token-file to get one with:"
                    + " make a token with 'tulle token'");
        }
        WorkloadId workload = workload(asked, token);
        Enroller enroller = new Enroller(wiring, controller, workload, tokenFile, directory);
        if (kept.isPresent() && enroller.stillCounts(kept.get(), token)) {
            enroller.svid = kept.get().svid();
            enroller.trust = kept.get().trust().orElseThrow();
        } else if (tokenFile.isPresent()) {
            if (!waits) {
                tokenFile.get().readValid();
            }
        } else {
            throw new UnusableIdentity("the certificate in --identity-dir no longer counts: give --token-file with a"
                    + " new token, made by 'tulle token %s'".formatted(workload));
        }
        return enroller;
    }

    /** Whom this proxy enrolls as. */
    public WorkloadId workload() {
        return workload;
    }

    /** Starts; the answer comes with the first certificate in force. */
    public Future<Svid> start() {
        wiring.loop().execute(() -> {
            Svid kept = svid;
            TrustBundle keptTrust = trust;
            if (kept != null && keptTrust != null) {
                try {
                    putInForce(kept, keptTrust);
                    wiring.log()
                            .info(
                                    "using the certificate of an earlier run",
                                    "identity",
                                    kept.identity(),
                                    "until",
                                    kept.notAfter());
                    afterwards(kept, keptTrust);
                    first.trySuccess(kept);
                    return;
                } catch (IllegalArgumentException e) {
                    wiring.log().warn("the certificate of an earlier run cannot be used", "problem", e.getMessage());
                    svid = null;
                }
            }
            attempt();
        });
        return first;
    }

    /**
     * Takes a trust bundle from the stream; renews soon when another issuer signs now. On the control loop.
     *
     * @throws IllegalArgumentException if it cannot be used; the last one stays
     */
    public void trust(TrustBundle bundle) {
        Svid own = svid;
        TrustBundle before = trust;
        if (own == null || before == null) {
            throw new IllegalStateException("a trust bundle came before the first certificate");
        }
        if (!bundle.trustDomain().equals(own.identity().trustDomain())) {
            throw new IllegalArgumentException("the trust bundle is of the trust domain '%s', this workload of '%s'"
                    .formatted(bundle.trustDomain(), own.identity().trustDomain()));
        }
        trustFromStream = true;
        if (bundle.equals(before)) {
            return;
        }
        if (!bundle.anchors().equals(before.anchors())) {
            wiring.contexts().install(own, bundle);
            wiring.log()
                    .info("trust bundle changed", "anchors", bundle.anchors().size());
        }
        trust = bundle;
        keep(d -> d.saveTrust(bundle));
        if (renewalWanted(own, bundle)) {
            wiring.log().info("another issuer signs now; renewing", "issuer", bundle.issuer());
            after(Duration.ofMillis(wiring.random().nextLong(ISSUER_JITTER_MILLIS)), this::attempt);
        }
    }

    /**
     * The controller does not believe our certificate, or we not its: enrolls anew if a token is there that still counts, as after a
     * change of the workload's service account or a controller built anew. On the control loop.
     */
    public void doubted() {
        if (busy || closed || tokenFile.isEmpty()) {
            return;
        }
        try {
            TokenFile.Token token = tokenFile.get().readValid();
            wiring.log()
                    .info(
                            "trying the join token again",
                            "workload",
                            token.payload().workload());
            renewalRefused = true;
            attempt();
        } catch (UnusableIdentity e) {
            wiring.log().debug("no token to try", "problem", e.problem());
        }
    }

    /** Ends renewals. Any thread. */
    public void close() {
        wiring.loop().execute(() -> {
            closed = true;
            cancelTimer();
        });
    }

    /** When a certificate is to be renewed: at two thirds of its life, up to a thirtieth of it earlier by chance. */
    static Instant renewalDue(X509Certificate leaf, RandomGenerator random) {
        Instant from = leaf.getNotBefore().toInstant();
        long life = Duration.between(from, leaf.getNotAfter().toInstant()).toMillis();
        return from.plusMillis(life * 2 / 3 - (long) (random.nextDouble() * life / 30));
    }

    private void attempt() {
        if (busy || closed) {
            return;
        }
        busy = true;
        Svid own = svid;
        boolean renew = own != null && wiring.clock().instant().isBefore(own.notAfter()) && !renewalRefused;
        try {
            if (renew) {
                renew();
            } else {
                enroll();
            }
        } catch (UnusableIdentity | IllegalArgumentException e) {
            failed(e);
        }
    }

    private void enroll() throws UnusableIdentity {
        TokenFile.Token token = tokenFile
                .orElseThrow(() -> new UnusableIdentity("the certificate has ended and there is no --token-file to get"
                        + " a new one with: make a token with 'tulle token %s'".formatted(workload)))
                .readValid();
        if (!token.payload().workload().equals(workload)) {
            throw otherWorkload(workload, token.payload().workload());
        }
        TrustBundle tokenTrust = token.payload().trust();
        // Whoever enrolls anew may join another mesh; what the stream of the old one said counts no more.
        trustFromStream = false;
        SslContext client = TlsContexts.withoutCertificate(tokenTrust, wiring.clock());
        request(client, tokenTrust, tokenFile.orElseThrow().enrollPath(), Optional.of(token.line()))
                .addListener(done -> ReferenceCountUtil.release(client));
    }

    private void renew() {
        TrustBundle current = trust;
        if (current == null) {
            throw new IllegalStateException("a certificate without a trust bundle");
        }
        SslContext client = wiring.contexts().current().orElseThrow().client(Alpn.H2);
        request(
                client,
                current,
                "/v1/renew?workload=" + URLEncoder.encode(workload.toString(), StandardCharsets.UTF_8),
                Optional.empty());
    }

    private Future<?> request(SslContext client, TrustBundle verifyBy, String path, Optional<String> bearer) {
        KeyAndRequest fresh = KeyAndRequest.fresh();
        Future<ControllerConnection> opening = ControllerConnection.open(
                wiring.loop(),
                wiring.transport(),
                controller,
                client,
                ControllerConnection.identityIn(verifyBy.trustDomain()));
        opening.addListener((Future<ControllerConnection> opened) -> {
            if (!opened.isSuccess()) {
                failed(opened.cause());
                return;
            }
            ControllerConnection connection = opened.getNow();
            connection
                    .post(path, bearer, fresh.requestPem(), ProxyCodec.MAX_ENROLLMENT_BYTES, ANSWER_TIMEOUT)
                    .addListener((Future<ControllerConnection.Answer> answered) -> {
                        connection.close();
                        if (answered.isSuccess()) {
                            answered(fresh, answered.getNow());
                        } else {
                            failed(answered.cause());
                        }
                    });
        });
        return opening;
    }

    private void answered(KeyAndRequest fresh, ControllerConnection.Answer answer) {
        try {
            if (answer.status() >= 400 && answer.status() < 500) {
                throw new RefusedEnrollment(answer.refusal());
            }
            if (answer.status() != 200) {
                throw new IOException("the controller answered %d: %s".formatted(answer.status(), answer.refusal()));
            }
            Enrollment enrollment = ProxyCodec.decodeEnrollment(answer.body());
            Svid next = accepted(fresh, enrollment);
            TrustBundle heard = trust;
            // What the stream says is newer than an answer that was made before it.
            TrustBundle bundle = trustFromStream && heard != null ? heard : enrollment.trust();
            putInForce(next, bundle);
            svid = next;
            trust = bundle;
            keep(d -> d.save(next, bundle));
            busy = false;
            renewalRefused = false;
            backoff.reset();
            wiring.meters().enrolled();
            wiring.log().info("enrolled", "workload", workload, "identity", next.identity(), "until", next.notAfter());
            afterwards(next, bundle);
            first.trySuccess(next);
        } catch (RefusedEnrollment | IOException | MalformedMessage | IllegalArgumentException e) {
            failed(e);
        }
    }

    /** Believes nothing: the certificate must be ours, in time and acceptable to those it will be shown to. */
    private Svid accepted(KeyAndRequest fresh, Enrollment enrollment) {
        if (!enrollment.workload().equals(workload)) {
            throw new IllegalArgumentException("the controller enrolled %s, but this proxy is that of %s"
                    .formatted(enrollment.workload(), workload));
        }
        List<X509Certificate> chain = Certificates.parse(enrollment.chain());
        if (!chain.getFirst().getPublicKey().equals(fresh.keys().getPublic())) {
            throw new IllegalArgumentException("the controller's certificate is not for the key that was asked for");
        }
        if (!PeerIdentity.ofLeaf(chain.getFirst()).equals(Optional.of(enrollment.identity()))) {
            throw new IllegalArgumentException(
                    "the controller's certificate does not prove %s".formatted(enrollment.identity()));
        }
        try {
            new PeerVerifier(enrollment.trust(), wiring.clock())
                    .checkClientTrusted(chain.toArray(X509Certificate[]::new), "EC");
        } catch (CertificateException e) {
            throw new IllegalArgumentException(
                    "the controller gave a certificate that other proxies would refuse: " + e.getMessage(), e);
        }
        return new Svid(fresh.keys().getPrivate(), chain, enrollment.identity());
    }

    private void putInForce(Svid next, TrustBundle bundle) {
        wiring.contexts().install(next, bundle);
        wiring.meters().certificate(next.notAfter(), next.issuer());
    }

    private void failed(Throwable cause) {
        busy = false;
        wiring.meters().enrollmentFailed();
        // What an operator must mend is tried rarely; a platform mends itself, as when the pod is not known everywhere
        // yet.
        boolean refused = (cause instanceof RefusedEnrollment || cause instanceof UnusableIdentity)
                && !tokenFile.map(TokenFile::isOfPlatform).orElse(false);
        // A certificate that the controller no longer takes may be replaced by a token, if there is one.
        renewalRefused = cause instanceof RefusedEnrollment && svid != null && !renewalRefused && tokenFile.isPresent();
        Duration pause = refused ? MOST_PAUSE.minusMillis(wiring.random().nextLong(5000)) : backoff.next();
        wiring.log()
                .warn(
                        svid == null ? "not enrolled" : "certificate not renewed",
                        "workload",
                        workload,
                        "problem",
                        String.valueOf(cause.getMessage()),
                        "again-in",
                        pause.toMillis() + "ms");
        after(pause, this::attempt);
    }

    private void afterwards(Svid own, TrustBundle bundle) {
        if (renewalWanted(own, bundle)) {
            // Just renewed and still of another issuer: the controller is between two; not to be asked in a loop.
            after(backoff.next(), this::attempt);
        } else {
            wait(renewalDue(own.leaf(), wiring.random()));
        }
    }

    /** Looks at the clock now and then: a machine that slept does not notice otherwise. */
    private void wait(Instant due) {
        Duration left = Duration.between(wiring.clock().instant(), due);
        if (left.isNegative() || left.isZero()) {
            attempt();
        } else {
            after(left.compareTo(LOOK_AT_CLOCK) < 0 ? left : LOOK_AT_CLOCK, () -> wait(due));
        }
    }

    private void after(Duration pause, Runnable then) {
        cancelTimer();
        if (!closed) {
            timer = wiring.loop().schedule(then, pause.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private static boolean renewalWanted(Svid own, TrustBundle bundle) {
        return !bundle.issuer().isEmpty() && !bundle.issuer().equals(own.issuer());
    }

    /** Something to write into the identity directory. */
    private interface Keeping {
        void into(IdentityDirectory directory) throws IOException;
    }

    private void keep(Keeping what) {
        directory.ifPresent(d -> {
            try {
                what.into(d);
            } catch (IOException e) {
                wiring.log()
                        .error("the identity directory cannot be written; a restart will need a token", "problem", e);
            }
        });
    }

    private boolean stillCounts(IdentityDirectory.Found.Kept kept, Optional<TokenFile.Token> token) {
        Svid own = kept.svid();
        Instant now = wiring.clock().instant();
        String problem = "";
        if (!now.isBefore(own.notAfter())) {
            problem = "it has ended at " + own.notAfter();
        } else if (kept.trust().isEmpty()) {
            problem = "there is no trust.json beside it";
        } else if (!own.identity().namespace().equals(workload.namespace())) {
            problem = "it is of %s, not of the workload %s".formatted(own.identity(), workload);
        } else if (token.isPresent()
                && now.isBefore(token.get().payload().expires())
                && kept.trust().get().anchors().stream()
                        .noneMatch(token.get().payload().trust().anchors()::contains)) {
            problem = "the token is of a mesh with other anchors";
        }
        if (!problem.isEmpty()) {
            wiring.log().warn("the certificate of an earlier run is not used", "problem", problem);
        }
        return problem.isEmpty();
    }

    private static Optional<IdentityDirectory.Found.Kept> kept(IdentityDirectory directory, Wiring wiring) {
        return switch (directory.load()) {
            case IdentityDirectory.Found.Kept kept -> Optional.of(kept);
            case IdentityDirectory.Found.Nothing() -> Optional.empty();
            case IdentityDirectory.Found.Damaged(String problem) -> {
                wiring.log().warn("the certificate of an earlier run is damaged; enrolling anew", "problem", problem);
                yield Optional.empty();
            }
        };
    }

    private static WorkloadId workload(Optional<WorkloadId> asked, Optional<TokenFile.Token> token)
            throws UnusableIdentity {
        if (asked.isPresent()
                && token.isPresent()
                && !token.get().payload().workload().equals(asked.get())) {
            throw otherWorkload(asked.get(), token.get().payload().workload());
        }
        return asked.or(() -> token.map(t -> t.payload().workload()))
                .orElseThrow(() -> new UnusableIdentity("whose proxy is this? give --workload NAMESPACE/NAME"));
    }

    private static UnusableIdentity otherWorkload(WorkloadId wanted, WorkloadId named) {
        return new UnusableIdentity(
                "the join token is for the workload %s, not for %s: make one with 'tulle token %s', or correct --workload"
                        .formatted(named, wanted, wanted));
    }
}
