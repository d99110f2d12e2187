package dev.tulle.controller.discovery;

import static dev.tulle.controller.Shop.CATALOG;
import static dev.tulle.controller.Shop.TO_CATALOG;
import static dev.tulle.controller.Shop.TO_REVIEWS;
import static dev.tulle.controller.Shop.WEB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.controller.Shop;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.JoinTokenAttestor;
import dev.tulle.controller.identity.JoinTokens;
import dev.tulle.controller.resources.Resources;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Enrollment;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.WorkloadId;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DiscoveryServerTest {
    private static final SpiffeId WEB_ID = new SpiffeId("cluster.local", "shop", "web");
    private static final SpiffeId THIEF_ID = new SpiffeId("cluster.local", "shop", "thief");

    private final HandClock clock = HandClock.atNow();
    private final Vertx vertx = Vertx.vertx();
    private final ProxyRegistry registry = new ProxyRegistry();
    private final Publisher publisher = new Publisher(registry);
    private final Refusals refusals = new Refusals();
    private final StreamCounters counters = new StreamCounters();
    private final List<Report> reports = new CopyOnWriteArrayList<>();
    private final AtomicInteger readinessChanges = new AtomicInteger();

    @TempDir
    Path directory;

    private CertificateAuthority authority;
    private Resources shop;
    private DiscoveryServer server;

    @BeforeEach
    void start() throws Exception {
        authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        shop = Shop.resources(directory.resolve("mesh"));
        publish(shop);
        server = serve(DiscoveryLimits.DEFAULTS);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    // ---- enrolment

    @Test
    void enrolsTheWorkloadOfItsToken() throws Exception {
        KeyPair keys = Authorities.ecKeys();
        FakeProxy.Reply reply = enrol(token(WEB), Authorities.request(keys));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        Enrollment enrollment = ProxyCodec.decodeEnrollment(reply.body());
        assertThat(enrollment.workload()).isEqualTo(WEB);
        assertThat(enrollment.identity()).isEqualTo(WEB_ID);
        assertThat(enrollment.trust()).isEqualTo(authority.trust());
        assertThat(enrollment.chain().split("BEGIN CERTIFICATE", -1)).hasSize(3);
        assertThat(registry.status(WEB))
                .hasValueSatisfying(status -> assertThat(status.issuer())
                        .isEqualTo(authority.state().issuer().id()));
    }

    @Test
    void refusesEnrolmentWithOneSentenceAndShowsIt() throws Exception {
        String request = Authorities.request(Authorities.ecKeys());
        String good = token(WEB);
        assertRefused(enrol("", request), 401, "needs a join token");
        assertRefused(enrol("nonsense", request), 401, "not a join token");
        assertRefused(enrol(good + "x", request), 401, "not signed by this controller");
        assertRefused(enrol(token(new WorkloadId("shop", "nobody")), request), 404, "no Workload shop/nobody");
        assertRefused(enrol(good, "no request"), 400, "not a certificate request");
        assertRefused(
                stranger().post("/v1/enroll?workload=shop/thief-1", bearer(good), request),
                403,
                "for the workload shop/web-1, not for shop/thief-1");
        assertRefused(
                stranger().post("/v1/enroll", bearer(good), "x".repeat(DiscoveryLimits.DEFAULTS.bodyBytes() + 1)),
                413,
                "longer than");
        clock.pass(Duration.ofHours(2));
        assertRefused(enrol(good, request), 401, "expired at");
        assertThat(refusals.newest(clock.instant()))
                .anySatisfy(refusal -> assertThat(refusal.sentence()).contains("expired at"));
    }

    @Test
    void boundsTheCertificatesOfOneWorkload() throws Exception {
        String request = Authorities.request(Authorities.ecKeys());
        for (int i = 0; i < DiscoveryLimits.DEFAULTS.enrolmentsPerMinute(); i++) {
            assertThat(enrol(token(WEB), request).status()).isEqualTo(200);
        }
        assertRefused(enrol(token(WEB), request), 429, "too often");
        assertThat(enrol(token(CATALOG), request).status()).isEqualTo(200);
        clock.pass(Duration.ofSeconds(61));
        assertThat(enrol(token(WEB), request).status()).isEqualTo(200);
    }

    @Test
    void renewsForTheWorkloadsOfTheCallersIdentityOnly() throws Exception {
        String request = Authorities.request(Authorities.ecKeys());
        try (FakeProxy web = proxy(WEB_ID)) {
            assertThat(web.post("/v1/renew?workload=shop/web-1", Map.of(), request)
                            .status())
                    .isEqualTo(200);
            assertRefused(web.post("/v1/renew?workload=shop/catalog-1", Map.of(), request), 403, "proves " + WEB_ID);
            assertRefused(web.post("/v1/renew", Map.of(), request), 400, "workload=namespace/name");
        }
        assertRefused(
                stranger().post("/v1/renew?workload=shop/web-1", Map.of(), request),
                401,
                "needs the proxy's certificate");
    }

    @Test
    void refusesACertificateOfAnotherTrustDomainWithASentence() throws Exception {
        CertificateAuthority other = Authorities.open(directory.resolve("other"), "other.example", clock);
        KeyPair keys = Authorities.ecKeys();
        var chain = other.sign(keys.getPublic(), new SpiffeId("other.example", "shop", "web"));
        try (FakeProxy foreign = FakeProxy.with(vertx, server.port(), authority.trust(), keys, chain)) {
            String request = Authorities.request(Authorities.ecKeys());
            assertRefused(
                    foreign.post("/v1/renew?workload=shop/web-1", Map.of(), request),
                    401,
                    "trust domain 'other.example', this mesh is 'cluster.local'");
            FakeProxy.Stream stream = foreign.hello(WEB, 0);
            assertThat(stream.status()).isEqualTo(401);
            assertThat(stream.awaitEnd()).contains("other.example");
        }
    }

    @Test
    void refusesOtherPathsAndMethods() throws Exception {
        assertRefused(stranger().post("/v1/other", Map.of(), ""), 404, "/v1/stream");
    }

    // ---- streams

    @Test
    void tellsAProxyItsOwnSideAndWhatItWatches() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 41);
            stream.say(new ToController.Watch(TO_CATALOG));
            soon().until(() -> stream.heard().size() == 3);
            assertThat(stream.heard()).extracting(ToProxy::version).containsExactly(42L, 43L, 44L);
            assertThat(((ToProxy.Trust) stream.heard().get(0)).bundle()).isEqualTo(authority.trust());
            assertThat(((ToProxy.Workload) stream.heard().get(1)).config().identity())
                    .isEqualTo(WEB_ID);
            assertThat(((ToProxy.Watched) stream.heard().get(2)).destination())
                    .isInstanceOfSatisfying(
                            Destination.Service.class,
                            service -> assertThat(service.clusters().getFirst().endpoints())
                                    .hasSize(1));
        }
    }

    @Test
    void sendsOnlyWhatDiffers() throws Exception {
        try (FakeProxy catalog = proxy(new SpiffeId("cluster.local", "shop", "catalog"))) {
            // Given
            FakeProxy.Stream stream = catalog.hello(CATALOG, 0);
            stream.say(new ToController.Watch(TO_REVIEWS));
            stream.say(new ToController.Watch(TO_CATALOG));
            soon().until(() -> stream.heard().size() == 4);
            // When nothing changes, then one instance of reviews becomes unready
            publish(shop);
            publish(shop.withUnready(new TreeSet<>(List.of(Shop.REVIEWS_V2))));
            // Then
            soon().until(() -> stream.heard().size() == 5);
            stream.say(new ToController.Unwatch(TO_REVIEWS));
            stream.say(new ToController.Ack(5));
            soon().until(() -> registry.status(CATALOG).orElseThrow().acked() == 5);
            publish(shop);
            publish(shop.withUnready(new TreeSet<>(List.of(CATALOG))));
            publish(shop);
            stream.say(new ToController.Watch(TO_REVIEWS));
            soon().until(() -> stream.heard().getLast() instanceof ToProxy.Watched watched
                    && watched.destination().key().equals(TO_REVIEWS)
                    && watched.version() > 5);
            assertThat(stream.heard().get(4))
                    .isInstanceOfSatisfying(
                            ToProxy.Watched.class,
                            watched -> assertThat(watched.destination().key()).isEqualTo(TO_REVIEWS));
            assertThat(stream.heard(ToProxy.Trust.class)).hasSize(1);
            assertThat(stream.heard(ToProxy.Workload.class)).hasSize(1);
        }
    }

    @Test
    void rememberesWhatWasTakenAndWhatWasRefused() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            stream.say(new ToController.Ack(1));
            stream.say(new ToController.Nack(2, "port 20080 is taken"));
            soon().until(() -> registry.status(WEB).orElseThrow().nack().isPresent());
            ProxyStatus status = registry.status(WEB).orElseThrow();
            assertThat(status.acked()).isEqualTo(1);
            assertThat(status.trust()).contains(authority.trust());
            assertThat(status.nack()).contains(new Outbox.Nack(2, "workload", "port 20080 is taken"));
            assertThat(status.oldestUnacked()).isEmpty();
            assertThat(counters.nacks()).isEqualTo(1);
        }
    }

    @Test
    void knowsWhoIsWellAndWhoIsGone() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            stream.say(new ToController.Health(false, "connection refused"));
            soon().until(() -> registry.status(WEB).flatMap(ProxyStatus::health).isPresent()
                    && !registry.status(WEB)
                            .orElseThrow()
                            .health()
                            .orElseThrow()
                            .ready());
            stream.hangUp();
            soon().until(() -> !registry.status(WEB).orElseThrow().connected());
            assertThat(readinessChanges).hasValueGreaterThanOrEqualTo(3);
            assertThat(publisher.connected()).isZero();
        }
    }

    @Test
    void passesReportsOn() throws Exception {
        Report report = new Report(List.of(), List.of(), 7, clock.instant().getEpochSecond(), "abcd");
        try (FakeProxy web = proxy(WEB_ID)) {
            web.hello(WEB, 0).say(new ToController.Reported(report));
            soon().until(() -> reports.contains(report));
            assertThat(registry.status(WEB)).hasValueSatisfying(status -> {
                assertThat(status.connections()).isEqualTo(7);
                assertThat(status.issuer()).isEqualTo("abcd");
            });
        }
    }

    @Test
    void givesNobodyTheConfigOfAnother() throws Exception {
        try (FakeProxy thief = proxy(THIEF_ID)) {
            FakeProxy.Stream stream = thief.hello(WEB, 0);
            assertThat(stream.status()).isEqualTo(403);
            assertThat(stream.awaitEnd()).contains("proves " + THIEF_ID);
            FakeProxy.Stream unknown = thief.hello(new WorkloadId("shop", "nobody"), 0);
            assertThat(unknown.status()).isEqualTo(404);
        }
        FakeProxy.Stream bare = stranger().hello(WEB, 0);
        assertThat(bare.status()).isEqualTo(401);
    }

    @Test
    void aNewerStreamOfAWorkloadTakesOverFromTheOlder() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream older = web.hello(WEB, "one", 0);
            soon().until(() -> older.heard().size() == 2);
            FakeProxy.Stream newer = web.hello(WEB, "two", 0);
            soon().until(() -> newer.heard().size() == 2);
            older.awaitEnd();
            assertThat(registry.status(WEB)).hasValueSatisfying(status -> {
                assertThat(status.connected()).isTrue();
                assertThat(status.instance()).isEqualTo("two");
            });
        }
    }

    @Test
    void endsTheStreamOfADeletedWorkload() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            publish(Shop.resources(directory.resolve("mesh2"), Shop.yaml().replace("name: web-1", "name: web-2")));
            stream.awaitEnd();
            assertThat(registry.status(WEB)).isEmpty();
        }
    }

    // ---- what streams may not do

    @Test
    void cutsAStreamWhoseLineIsTooLong() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            stream.raw("x".repeat(ProxyCodec.MAX_TO_CONTROLLER_BYTES + 1));
            assertThat(stream.awaitEnd()).startsWith("reset");
            assertThat(counters.cut()).isEqualTo(1);
            assertThat(refusals.newest(clock.instant()))
                    .anySatisfy(refusal -> assertThat(refusal.sentence()).contains("longer than"));
        }
    }

    @Test
    void cutsAStreamThatCannotBeRead() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            stream.raw("{\"type\":\"from-the-future\",\"x\":1}\n");
            stream.say(new ToController.Health(true, "fine"));
            soon().until(() -> registry.status(WEB)
                    .flatMap(ProxyStatus::health)
                    .map(health -> health.detail().equals("fine"))
                    .orElse(false));
            stream.raw("not json\n");
            assertThat(stream.awaitEnd()).startsWith("reset");
        }
    }

    @Test
    void wantsHelloFirst() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.open();
            stream.say(new ToController.Ack(1));
            assertThat(stream.status()).isEqualTo(400);
            FakeProxy.Stream silent = web.open();
            silent.raw("\n");
            soon().until(() -> {
                clock.pass(DiscoveryLimits.DEFAULTS.hello().plusSeconds(1));
                return silent.ended().isPresent();
            });
            assertThat(silent.status()).isEqualTo(408);
        }
    }

    @Test
    void cutsAStreamThatFallsSilent() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            clock.pass(DiscoveryLimits.DEFAULTS.silence().plusSeconds(1));
            stream.awaitEnd();
            assertThat(counters.cut()).isEqualTo(1);
        }
    }

    @Test
    void boundsWhatAStreamWatches() throws Exception {
        restart(limits(3, 1000));
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            for (int port = 1; port <= 4; port++) {
                stream.say(new ToController.Watch(new DestinationKey.ServicePort("shop", "catalog", port)));
            }
            assertThat(stream.awaitEnd()).startsWith("reset");
            assertThat(refusals.newest(clock.instant()))
                    .anySatisfy(refusal -> assertThat(refusal.sentence()).contains("more than 3 destinations"));
        }
    }

    @Test
    void boundsWhatIsLeftUnanswered() throws Exception {
        restart(limits(100, 2));
        try (FakeProxy web = proxy(WEB_ID)) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            stream.say(new ToController.Watch(TO_CATALOG));
            assertThat(stream.awaitEnd()).startsWith("reset");
            assertThat(counters.cut()).isEqualTo(1);
        }
    }

    @Test
    void cutsAProxyThatDoesNotReadAndKeepsOnlyTheNewestForIt() throws Exception {
        try (FakeProxy web = proxy(WEB_ID)) {
            // Given a proxy that watches much and stops reading
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            stream.stopReading();
            long before = counters.pushes();
            for (int port = 1; port <= 1500; port++) {
                stream.say(new ToController.Watch(new DestinationKey.ServicePort("shop", "x".repeat(200), port)));
            }
            // When what waits no longer fits the windows, and everything changes again and again
            soon().until(() -> counters.pushes() - before > 100);
            for (int i = 0; i < 20; i++) {
                publish(i % 2 == 0 ? shop.withUnready(new TreeSet<>(List.of(CATALOG))) : shop);
            }
            // Then it is cut for it, no earlier than the limit says
            assertThat(stream.ended()).isEmpty();
            soon().untilAsserted(() -> {
                clock.pass(Duration.ofSeconds(5));
                stream.say(new ToController.Health(true, ""));
                assertThat(counters.cut()).isEqualTo(1);
            });
            assertThat(counters.pushes() - before).isLessThan(1500);
            assertThat(refusals.newest(clock.instant()))
                    .anySatisfy(refusal -> assertThat(refusal.sentence()).contains("unread"));
        }
    }

    // ---- certificates over time

    @Test
    void aRotationGoesThroughWithoutARefusedProxy() throws Exception {
        KeyPair keys = Authorities.ecKeys();
        var oldTrust = authority.trust();
        try (FakeProxy web =
                FakeProxy.with(vertx, server.port(), oldTrust, keys, authority.sign(keys.getPublic(), WEB_ID))) {
            FakeProxy.Stream stream = web.hello(WEB, 0);
            soon().until(() -> stream.heard().size() == 2);
            // Trusting: both roots reach the proxy on its open stream
            authority.maintain(2, false);
            server.renewCertificate();
            publish(shop);
            soon().until(() -> stream.heard(ToProxy.Trust.class).size() == 2);
            assertThat(stream.heard(ToProxy.Trust.class).getLast().bundle().anchors())
                    .hasSize(2);
            // Signing: those who know the old root alone can still call and renew
            authority.maintain(2, false);
            server.renewCertificate();
            publish(shop);
            try (FakeProxy late =
                    FakeProxy.with(vertx, server.port(), oldTrust, keys, authority.sign(keys.getPublic(), WEB_ID))) {
                assertThat(late.post("/v1/renew?workload=shop/web-1", Map.of(), Authorities.request(keys))
                                .status())
                        .isEqualTo(200);
            }
            // Settled: the server shows the new root; the old leaf counts no more, on the very connection that is open
            authority.maintain(2, false);
            server.renewCertificate();
            publish(shop);
            soon().until(() -> stream.heard(ToProxy.Trust.class)
                            .getLast()
                            .bundle()
                            .anchors()
                            .size()
                    == 1);
            try (FakeProxy renewed = proxy(WEB_ID)) {
                FakeProxy.Stream next = renewed.hello(WEB, 0);
                soon().until(() -> next.heard().size() == 2);
            }
            assertRefused(
                    web.post("/v1/renew?workload=shop/web-1", Map.of(), Authorities.request(keys)),
                    401,
                    "not issued under a root this mesh trusts");
        }
    }

    @Test
    void takesItsProxiesBackAfterARestart() throws Exception {
        KeyPair keys = Authorities.ecKeys();
        var chain = authority.sign(keys.getPublic(), WEB_ID);
        var trust = authority.trust();
        server.close();
        authority = Authorities.open(directory.resolve("state"), clock);
        publish(shop);
        server = serve(DiscoveryLimits.DEFAULTS);
        try (FakeProxy web = FakeProxy.with(vertx, server.port(), trust, keys, chain)) {
            FakeProxy.Stream stream = web.hello(WEB, 7);
            soon().until(() -> stream.heard().size() == 2);
            assertThat(((ToProxy.Trust) stream.heard().getFirst()).bundle()).isEqualTo(trust);
            assertThat(stream.heard().getFirst().version()).isEqualTo(8);
        }
        assertThat(enrol(token(WEB), Authorities.request(keys)).status()).isEqualTo(200);
    }

    @Test
    void renewsItsOwnCertificateWhileItServes() throws Exception {
        clock.pass(Duration.ofHours(-17));
        restart(DiscoveryLimits.DEFAULTS);
        var before = server.certificateEnds();
        clock.pass(Duration.ofHours(17));
        server.renewCertificate();
        assertThat(server.certificateEnds()).isAfter(before);
        assertThat(enrol(token(WEB), Authorities.request(Authorities.ecKeys())).status())
                .isEqualTo(200);
    }

    @Test
    void answersWithFiveHundredAndThreeBeforeTheMeshWasRead() throws Exception {
        Publisher empty = new Publisher(new ProxyRegistry());
        try (DiscoveryServer early = serve(empty, DiscoveryLimits.DEFAULTS);
                FakeProxy web = FakeProxy.with(vertx, early.port(), authority.trust(), authority, WEB_ID)) {
            assertRefused(
                    web.post("/v1/enroll", bearer(token(WEB)), Authorities.request(Authorities.ecKeys())),
                    503,
                    "still reading the mesh");
            assertThat(web.hello(WEB, 0).status()).isEqualTo(503);
        }
    }

    // ---- fixture

    private void publish(Resources resources) {
        publisher.publish(new Snapshot(MeshAssembler.assemble(resources).mesh(), authority.trust()));
    }

    private void restart(DiscoveryLimits limits) {
        server.close();
        server = serve(limits);
    }

    private DiscoveryServer serve(DiscoveryLimits limits) {
        return serve(publisher, limits);
    }

    private DiscoveryServer serve(Publisher of, DiscoveryLimits limits) {
        return DiscoveryServer.start(
                vertx,
                authority,
                new JoinTokenAttestor(authority, clock),
                of,
                registry,
                refusals,
                counters,
                (workload, report) -> reports.add(report),
                readinessChanges::incrementAndGet,
                new HostPort("127.0.0.1", 0),
                limits,
                clock);
    }

    private static DiscoveryLimits limits(int watches, int unacked) {
        DiscoveryLimits all = DiscoveryLimits.DEFAULTS;
        return new DiscoveryLimits(
                all.bodyBytes(),
                all.lineBytes(),
                watches,
                unacked,
                all.streamsPerConnection(),
                all.connections(),
                all.enrolmentsPerMinute(),
                all.hello(),
                all.silence(),
                all.stall(),
                all.idle());
    }

    private FakeProxy proxy(SpiffeId identity) {
        return FakeProxy.with(vertx, server.port(), authority.trust(), authority, identity);
    }

    private FakeProxy stranger() {
        return FakeProxy.stranger(vertx, server.port(), authority.trust());
    }

    private String token(WorkloadId workload) {
        return JoinTokens.issue(authority.state(), workload, clock.instant().plus(Duration.ofHours(1)));
    }

    private FakeProxy.Reply enrol(String token, String request) throws Exception {
        try (FakeProxy stranger = stranger()) {
            return stranger.post("/v1/enroll", token.isEmpty() ? Map.of() : bearer(token), request);
        }
    }

    private static Map<String, String> bearer(String token) {
        return Map.of("authorization", "Bearer " + token);
    }

    private static void assertRefused(FakeProxy.Reply reply, int status, String because) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.body()).startsWith("{\"error\":\"").contains(because);
    }

    private static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
    }
}
