package dev.tulle.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.Enroller;
import dev.tulle.proxy.identity.FakeController;
import dev.tulle.proxy.identity.TestAuthority;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.identity.TokenFile;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.DestinationKey.ServicePort;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.telemetry.PrometheusText;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiscoveryClientTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final SpiffeId IDENTITY = new SpiffeId(TestAuthority.TRUST_DOMAIN, "shop", "web");
    private static final ServicePort RATINGS = new ServicePort("shop", "ratings", 9080);
    private static final ServicePort REVIEWS = new ServicePort("shop", "reviews", 9080);
    private static final Duration SOON = Duration.ofSeconds(15);

    private final TestAuthority authority = new TestAuthority();
    private final FakeController controller = new FakeController(authority);
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(2, Transport.best().ioHandlers());
    private final EventLoop control = loops.next();
    private final EventLoop data = loops.next();
    private final TlsContexts contexts =
            new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());
    private final Meters meters = new Meters(1000);
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final Log log =
            new Log(new PrintStream(logged, true, StandardCharsets.UTF_8), Log.Level.DEBUG, 4096, Clock.systemUTC());
    private final BlockingQueue<Optional<DestinationTable>> answers = new LinkedBlockingQueue<>();

    @TempDir
    private Path directory;

    @SuppressWarnings("NullAway.Init")
    private ConfigStore store;

    @SuppressWarnings("NullAway.Init")
    private DiscoveryClient client;

    @AfterEach
    void stop() {
        client.close().awaitUninterruptibly();
        controller.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void saysHelloAndPutsTheFirstConfigInForce() throws Exception {
        start(limits(1000, Duration.ofMinutes(10), Duration.ofSeconds(1)));

        ToController.Hello hello = controller.next(ToController.Hello.class);
        controller.send(new ToProxy.Trust(1, authority.trust()));
        controller.send(new ToProxy.Workload(2, workload(List.of())));

        assertThat(hello).isEqualTo(new ToController.Hello(WEB, "run-1", "test", 1, 0));
        assertThat(controller.next(ToController.Ack.class).version()).isEqualTo(1);
        assertThat(controller.next(ToController.Ack.class).version()).isEqualTo(2);
        assertThat(store.configured()).isTrue();
        assertThat(store.table().config().workload()).isEqualTo(workload(List.of()));
        assertThat(store.table().config().version()).isEqualTo(2);
    }

    @Test
    void admitsNobodyBeforeTheFirstConfig() throws Exception {
        start(limits(1000, Duration.ofMinutes(10), Duration.ofSeconds(1)));
        controller.next(ToController.Hello.class);

        assertThat(store.configured()).isFalse();
        assertThat(store.table().config().workload().policy()).isEqualTo(InboundPolicy.NOBODY);
        assertThat(store.table().config().workload().inbound()).isEmpty();
    }

    @Test
    void asksForADestinationAtItsFirstUse() throws Exception {
        configured(List.of());

        store.destination(RATINGS, data, answers::add);
        assertThat(controller.next(ToController.Watch.class).destination()).isEqualTo(RATINGS);
        controller.send(new ToProxy.Watched(3, destination(RATINGS)));

        assertThat(answer().map(DestinationTable::destination)).contains(destination(RATINGS));
        store.destination(RATINGS, data, answers::add);
        assertThat(answers).as("the second one is answered on the spot").hasSize(1);
    }

    @Test
    void givesUpWaitingForADestinationAfterATime() throws Exception {
        start(limits(1000, Duration.ofMinutes(10), Duration.ofMillis(100)));

        store.destination(RATINGS, data, answers::add);

        assertThat(answer()).isEmpty();
    }

    @Test
    void watchesTheDestinationsOfListenersFromTheStart() throws Exception {
        configured(List.of(new OutboundListener(new HostPort("127.0.0.1", 0), RATINGS)));

        assertThat(controller.next(ToController.Watch.class).destination()).isEqualTo(RATINGS);
    }

    @Test
    void dropsDestinationsThatNobodyUsesButKeepsThoseOfListeners() throws Exception {
        start(limits(1000, Duration.ofMillis(300), Duration.ofSeconds(5)));
        first(List.of(new OutboundListener(new HostPort("127.0.0.1", 0), RATINGS)));
        controller.next(ToController.Watch.class);
        store.destination(REVIEWS, data, answers::add);
        controller.next(ToController.Watch.class);
        controller.send(new ToProxy.Watched(3, destination(RATINGS)));
        controller.send(new ToProxy.Watched(4, destination(REVIEWS)));
        answer();

        assertThat(controller.next(ToController.Unwatch.class).destination()).isEqualTo(REVIEWS);

        await().atMost(SOON).until(() -> store.table().destination(REVIEWS).isEmpty());
        assertThat(store.table().destination(RATINGS)).isPresent();
    }

    @Test
    void refusesToWatchMoreThanItsLimit() throws Exception {
        start(limits(1, Duration.ofMinutes(10), Duration.ofSeconds(60)));
        first(List.of());
        store.destination(RATINGS, data, answers::add);
        controller.next(ToController.Watch.class);

        store.destination(REVIEWS, data, answers::add);

        assertThat(answer()).isEmpty();
        assertThat(PrometheusText.of(meters, "test", Set.of()))
                .contains("tulle_limit_hits_total{limit=\"max_destinations\"} 1\n");
    }

    @Test
    void nacksAConfigItCannotReadAndKeepsTheLastGoodOne() throws Exception {
        configured(List.of());

        controller.sendLine(
                "{\"type\":\"workload\",\"version\":7,\"config\":{\"workload\":\"shop/web-1\",\"policy\":{\"access\":\"opne\"}}}");

        ToController.Nack nack = controller.next(ToController.Nack.class);
        assertThat(nack.version()).isEqualTo(7);
        assertThat(nack.error()).isNotBlank();
        assertThat(store.table().config().version()).isEqualTo(2);
        assertThat(log()).contains("a config cannot be used; the last good one stays");
    }

    @Test
    void nacksTheConfigOfAnotherWorkload() throws Exception {
        configured(List.of());

        controller.send(new ToProxy.Workload(3, workload(new WorkloadId("shop", "db-1"), IDENTITY)));
        assertThat(controller.next(ToController.Nack.class).error()).contains("proxy of shop/web-1, not of shop/db-1");
        controller.send(
                new ToProxy.Workload(4, workload(WEB, new SpiffeId(TestAuthority.TRUST_DOMAIN, "shop", "other"))));
        assertThat(controller.next(ToController.Nack.class).error()).contains("config.identity");
        assertThat(store.table().config().version()).isEqualTo(2);
    }

    @Test
    void nacksATrustBundleItCannotUse() throws Exception {
        configured(List.of());

        controller.sendLine(
                "{\"type\":\"trust\",\"version\":3,\"bundle\":{\"trustDomain\":\"cluster.local\",\"anchors\":[\"rubbish\"],\"issuer\":\"\"}}");

        assertThat(controller.next(ToController.Nack.class).version()).isEqualTo(3);
        assertThat(contexts.current().orElseThrow().generation()).isEqualTo(1);
    }

    @Test
    void ignoresMessagesAndFieldsItDoesNotKnow() throws Exception {
        configured(List.of());

        controller.sendLine("{\"type\":\"novelty\",\"version\":3,\"x\":{\"y\":[1,2]}}");
        controller.send(new ToProxy.Trust(4, authority.trust()));

        assertThat(controller.next().message()).isEqualTo(new ToController.Ack(1));
        assertThat(controller.next().message()).isEqualTo(new ToController.Ack(2));
        assertThat(controller.next().message()).isEqualTo(new ToController.Ack(4));
    }

    @Test
    void skipsALineThatIsTooLongAndReadsOn() throws Exception {
        start(new Limits.Control(10, Duration.ofMinutes(1), Duration.ofSeconds(1), 10, 5000, 262144, 100, 100, 100));
        controller.next(ToController.Hello.class);

        controller.sendLine("x".repeat(6000));
        controller.send(new ToProxy.Trust(1, authority.trust()));

        assertThat(controller.next(ToController.Nack.class).error()).contains("longer than 5000 bytes");
        assertThat(controller.next(ToController.Ack.class).version()).isEqualTo(1);
    }

    @Test
    void comesBackAfterACutWithWhatItHolds() throws Exception {
        configured(List.of());
        store.destination(RATINGS, data, answers::add);
        controller.next(ToController.Watch.class);
        controller.send(new ToProxy.Watched(3, destination(RATINGS)));
        assertThat(answer()).isPresent();
        client.health(true, "");
        controller.next(ToController.Health.class);

        controller.cut();

        ToController.Hello again = controller.next(ToController.Hello.class);
        assertThat(again.held()).isEqualTo(3);
        assertThat(controller.next(ToController.Health.class)).isEqualTo(new ToController.Health(true, ""));
        assertThat(controller.next(ToController.Watch.class).destination()).isEqualTo(RATINGS);
        assertThat(store.table().destination(RATINGS)).isPresent();
    }

    @Test
    void keepsKnockingWhileTheControllerIsAway() throws Exception {
        configured(List.of());
        HostPort address = controller.address();
        controller.close();
        await().atMost(SOON).untilAsserted(() -> assertThat(log()).contains("cannot be reached"));
        assertThat(store.table().config().version()).isEqualTo(2);

        try (FakeController back =
                new FakeController(authority, authority.svid("tulle-system", "tulle-controller"), address.port())) {
            assertThat(back.next(ToController.Hello.class).held()).isEqualTo(2);
        }
    }

    @Test
    void showsWhyTheControllerRefusesTheStream() throws Exception {
        controller.refuse(0, "");
        configured(List.of());
        controller.refuse(403, "{\"error\":\"shop/web-1 was removed: add its Workload again\"}");

        controller.cut();

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(log())
                        .contains("the controller refuses the stream")
                        .contains("shop/web-1 was removed: add its Workload again"));
        assertThat(store.configured()).isTrue();
    }

    @Test
    void enrollsAnewWhenTheControllerNoLongerTakesItsIdentity() throws Exception {
        configured(List.of());
        controller.serviceAccount("other");

        controller.cut();

        controller.next(ToController.Hello.class);
        assertThat(contexts.current().orElseThrow().identity().serviceAccount()).isEqualTo("other");
        assertThat(log()).contains("the workload is now of another service account");
    }

    @Test
    void joinsAControllerBuiltAnewByAFreshToken() throws Exception {
        configured(List.of());
        HostPort address = controller.address();
        TestAuthority other = new TestAuthority();
        controller.close();
        try (FakeController rebuilt =
                new FakeController(other, other.svid("tulle-system", "tulle-controller"), address.port())) {
            await().atMost(SOON).until(() -> log().contains("does not lead to an anchor"));

            Files.writeString(
                    directory.resolve("token"), rebuilt.token(WEB, Instant.now().plusSeconds(60)));

            FakeController.Heard heard = rebuilt.next();
            assertThat(heard.message()).isInstanceOf(ToController.Hello.class);
            assertThat(rebuilt.enrollments).hasValue(1);
        }
    }

    @Test
    void reportsWhatItCounted() throws Exception {
        configured(List.of());
        meters.edge(Report.Direction.OUTBOUND, "spiffe://x", "shop/ratings", "shop/ratings", true, true)
                .ended(false, 200, 1500);

        Report report = controller.next(ToController.Reported.class).report();

        assertThat(report.edges()).singleElement().satisfies(edge -> {
            assertThat(edge.requests()).isEqualTo(1);
            assertThat(edge.service()).isEqualTo("shop/ratings");
        });
        assertThat(report.issuer()).isEqualTo(authority.issuerId());
        assertThat(report.certificateExpiry()).isGreaterThan(Instant.now().getEpochSecond());
    }

    @Test
    void opensANewStreamBeforeItEndsTheOldOneWhenItsCertificateChanges() throws Exception {
        controller.leafLife(Duration.ofSeconds(6));
        configured(List.of());

        FakeController.Heard heard = controller.next();
        while (!(heard.message() instanceof ToController.Hello)) {
            heard = controller.next();
        }

        assertThat(heard.stream()).isEqualTo(2);
        assertThat(controller.renewals.get()).isPositive();
        await().atMost(SOON).until(() -> controller.openStreams() == 1);
        assertThat(log()).doesNotContain("is down");
    }

    private void configured(List<OutboundListener> outbound) throws Exception {
        start(limits(1000, Duration.ofMinutes(10), Duration.ofSeconds(30)));
        first(outbound);
    }

    private void first(List<OutboundListener> outbound) throws Exception {
        controller.next(ToController.Hello.class);
        controller.send(new ToProxy.Trust(1, authority.trust()));
        controller.send(new ToProxy.Workload(2, workload(outbound)));
        await().atMost(SOON).until(() -> store.configured());
    }

    private void start(Limits.Control limits) throws Exception {
        Path token = Files.writeString(
                directory.resolve("token"), controller.token(WEB, Instant.now().plusSeconds(60)));
        Enroller enroller = Enroller.prepare(
                new Enroller.Wiring(
                        control, Transport.best(), contexts, meters.control(), log, Clock.systemUTC(), new Random(1)),
                controller.address(),
                Optional.of(WEB),
                Optional.of(new TokenFile(token, Clock.systemUTC())),
                Optional.empty());
        store = new ConfigStore(WEB, control, limits, meters, log, System::nanoTime);
        client = new DiscoveryClient(
                new DiscoveryClient.Wiring(
                        control, Transport.best(), contexts, meters, limits, log, Clock.systemUTC(), new Random(2)),
                controller.address(),
                enroller,
                store,
                "run-1",
                "test");
        assertThat(enroller.start().awaitUninterruptibly(20, TimeUnit.SECONDS)).isTrue();
        client.start();
    }

    private Optional<DestinationTable> answer() throws InterruptedException {
        Optional<DestinationTable> answer = answers.poll(15, TimeUnit.SECONDS);
        assertThat(answer).as("an answer about a destination").isNotNull();
        return answer;
    }

    private String log() {
        return logged.toString(StandardCharsets.UTF_8);
    }

    private static Limits.Control limits(int destinations, Duration idle, Duration wait) {
        return new Limits.Control(destinations, idle, wait, 100, 4 << 20, 256 << 10, 1000, 1 << 20, 4096);
    }

    private static Destination destination(DestinationKey key) {
        return new Destination.Service(
                key,
                "shop/ratings",
                Protocol.HTTP,
                List.of(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/ratings", 1)))),
                List.of(new Cluster("shop/ratings", List.of())));
    }

    private static WorkloadConfig workload(List<OutboundListener> outbound) {
        return new WorkloadConfig(
                WEB, "web", IDENTITY, List.of(), outbound, InboundPolicy.OPEN, List.of(), Optional.empty());
    }

    private static WorkloadConfig workload(WorkloadId workload, SpiffeId identity) {
        return new WorkloadConfig(
                workload, "web", identity, List.of(), List.of(), InboundPolicy.OPEN, List.of(), Optional.empty());
    }
}
