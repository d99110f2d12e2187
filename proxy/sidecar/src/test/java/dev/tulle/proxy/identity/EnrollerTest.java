package dev.tulle.proxy.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.telemetry.ControlMeters;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnrollerTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");

    private final TestAuthority authority = new TestAuthority();
    private final FakeController controller = new FakeController(authority);
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Transport.best().ioHandlers());
    private final TlsContexts contexts =
            new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final Enroller.Wiring wiring = new Enroller.Wiring(
            loops.next(),
            Transport.best(),
            contexts,
            new ControlMeters(),
            new Log(new PrintStream(logged, true, StandardCharsets.UTF_8), Log.Level.DEBUG, 4096, Clock.systemUTC()),
            Clock.systemUTC(),
            new Random(1));

    @TempDir
    private Path directory;

    @AfterEach
    void stop() {
        controller.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void enrollsByTokenAndPutsTheCertificateInForce() throws Exception {
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());

        Svid svid = got(enroller.start());

        assertThat(svid.identity().uri()).isEqualTo("spiffe://cluster.local/ns/shop/sa/web");
        assertThat(enroller.workload()).isEqualTo(WEB);
        assertThat(contexts.current().orElseThrow().identity()).isEqualTo(svid.identity());
        assertThat(svid.issuer()).isEqualTo(authority.issuerId());
    }

    @Test
    void refusesToStartWithAnExpiredToken() throws Exception {
        Path token = token(Instant.now().minusSeconds(1));

        assertThatThrownBy(() -> prepare(token, Optional.empty()))
                .isInstanceOf(UnusableIdentity.class)
                .hasMessageContaining("has expired")
                .hasMessageContaining("tulle token shop/web-1");
    }

    @Test
    void refusesToStartWithATokenForAnotherWorkload() throws Exception {
        Path token = token(Instant.now().plusSeconds(60));

        assertThatThrownBy(() -> Enroller.prepare(
                        wiring,
                        controller.address(),
                        Optional.of(new WorkloadId("shop", "db-1")),
                        Optional.of(new TokenFile(token, Clock.systemUTC())),
                        Optional.empty()))
                .isInstanceOf(UnusableIdentity.class)
                .hasMessageContaining("for the workload shop/web-1, not for shop/db-1");
    }

    @Test
    void refusesToStartWithARubbishToken() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), "not a token\n");

        assertThatThrownBy(() -> prepare(token, Optional.empty()))
                .isInstanceOf(UnusableIdentity.class)
                .hasMessageContaining("holds no join token");
    }

    @Test
    void enrollsByATokenOfThePlatformAndReadsItAnewEachTime() throws Exception {
        Path token = directory.resolve("platform-token");
        Path trust = directory.resolve("trust.json");
        Enroller enroller = Enroller.prepare(
                wiring,
                controller.address(),
                Optional.of(WEB),
                Optional.of(TokenFile.ofPlatform(token, trust, WEB, Clock.systemUTC())),
                Optional.empty());
        Future<Svid> first = enroller.start();
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(log()).contains("platform-token does not exist"));

        Files.writeString(token, "first.jwt.text\n");
        Files.writeString(trust, ProxyCodec.encode(authority.trust()) + "\n");

        assertThat(got(first).identity().uri()).isEqualTo("spiffe://cluster.local/ns/shop/sa/web");
        assertThat(controller.bearers).containsExactly("Bearer first.jwt.text");

        Files.writeString(token, "second.jwt.text\n");
        wiring.loop().execute(enroller::doubted);

        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(controller.bearers)
                        .containsExactly("Bearer first.jwt.text", "Bearer second.jwt.text"));
        assertThat(log()).doesNotContain("jwt.text");
    }

    @Test
    void asksSoonAgainWithATokenOfThePlatform() throws Exception {
        Path token = Files.writeString(directory.resolve("platform-token"), "a.b.c");
        Path trust = Files.writeString(directory.resolve("trust.json"), ProxyCodec.encode(authority.trust()));
        controller.refuse(403, "{\"error\":\"no pod shop/web-1 is known here yet\"}");
        Enroller enroller = Enroller.prepare(
                wiring,
                controller.address(),
                Optional.of(WEB),
                Optional.of(TokenFile.ofPlatform(token, trust, WEB, Clock.systemUTC())),
                Optional.empty());

        Future<Svid> first = enroller.start();
        await().atMost(Duration.ofSeconds(10)).until(() -> log().contains("is known here yet"));
        controller.refuse(0, "");

        assertThat(got(first).identity().namespace()).isEqualTo("shop");
    }

    @Test
    void showsTheControllersRefusalAndGoesOnAsking() throws Exception {
        controller.refuse(403, "{\"error\":\"shop/web-1 is not a Workload: add its document\",\"more\":[1]}");
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());

        Future<Svid> first = enroller.start();

        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(log())
                        .contains("not enrolled")
                        .contains("shop/web-1 is not a Workload: add its document"));
        assertThat(first.isDone()).isFalse();
        assertThat(log()).doesNotContain("tulle1.");
    }

    @Test
    void triesAgainWhenTheControllerComesLater() throws Exception {
        HostPort address = controller.address();
        Path token = token(Instant.now().plusSeconds(60));
        controller.close();
        Enroller enroller = prepare(address, token, Optional.empty());

        Future<Svid> first = enroller.start();
        await().atMost(Duration.ofSeconds(10)).until(() -> log().contains("cannot be reached"));
        try (FakeController late =
                new FakeController(authority, authority.svid("tulle-system", "tulle-controller"), address.port())) {
            assertThat(got(first).identity().namespace()).isEqualTo("shop");
            assertThat(late.enrollments).hasValue(1);
        }
    }

    @Test
    void tellsNothingToAControllerOfAnotherName() throws Exception {
        try (FakeController impostor = new FakeController(authority, authority.svid("shop", "thief"), 0)) {
            Enroller enroller = prepare(impostor.address(), token(Instant.now().plusSeconds(60)), Optional.empty());

            enroller.start();

            await().atMost(Duration.ofSeconds(10)).until(() -> log().contains("is not the controller"));
            assertThat(impostor.enrollments).hasValue(0);
            assertThat(log()).contains("spiffe://cluster.local/ns/shop/sa/thief");
        }
    }

    @Test
    void tellsNothingToAControllerOfAnotherRoot() throws Exception {
        TestAuthority other = new TestAuthority();
        try (FakeController stranger = new FakeController(other)) {
            Enroller enroller = prepare(stranger.address(), token(Instant.now().plusSeconds(60)), Optional.empty());

            enroller.start();

            await().atMost(Duration.ofSeconds(10)).until(() -> log().contains("not enrolled"));
            assertThat(stranger.enrollments).hasValue(0);
            assertThat(log()).contains("does not lead to an anchor");
        }
    }

    @Test
    void refusesACertificateOfAnotherWorkload() throws Exception {
        controller.enrollAs(new WorkloadId("shop", "db-1"));
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());

        enroller.start();

        await().atMost(Duration.ofSeconds(10))
                .until(() -> log().contains("enrolled shop/db-1, but this proxy is that of shop/web-1"));
        assertThat(contexts.current()).isEmpty();
    }

    @Test
    void renewsByItsCertificateBeforeItEnds() throws Exception {
        controller.leafLife(Duration.ofSeconds(3));
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());
        got(enroller.start());

        await().atMost(Duration.ofSeconds(10)).until(() -> controller.renewals.get() >= 1);

        await().atMost(Duration.ofSeconds(5))
                .until(() -> contexts.current().orElseThrow().generation() >= 2);
        assertThat(controller.enrollments).hasValue(1);
        assertThat(controller.renewedBy.getFirst().uri()).isEqualTo("spiffe://cluster.local/ns/shop/sa/web");
    }

    @Test
    void renewsAtOnceWhenAnotherIssuerSigns() throws Exception {
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());
        got(enroller.start());
        TestAuthority next = new TestAuthority();
        TrustBundle both = new TrustBundle(
                TestAuthority.TRUST_DOMAIN,
                List.of(
                        authority.trust().anchors().getFirst(),
                        next.trust().anchors().getFirst()),
                next.issuerId());
        controller.signWith(next);
        controller.trust(both);

        loops.next().submit(() -> enroller.trust(both)).syncUninterruptibly();

        await().atMost(Duration.ofSeconds(10)).until(() -> controller.renewals.get() == 1);
        await().atMost(Duration.ofSeconds(5))
                .until(() -> contexts.current().orElseThrow().generation() == 3);
    }

    @Test
    void refusesATrustBundleOfAnotherDomain() throws Exception {
        Enroller enroller = prepare(token(Instant.now().plusSeconds(60)), Optional.empty());
        got(enroller.start());
        TrustBundle foreign = new TrustBundle("other.example", authority.trust().anchors(), "");

        Future<?> told = loops.next().submit(() -> enroller.trust(foreign)).awaitUninterruptibly();

        assertThat(told.cause()).hasMessageContaining("other.example");
        assertThat(contexts.current().orElseThrow().generation()).isEqualTo(1);
    }

    @Test
    void startsFromTheIdentityDirectoryWhenTheTokenHasExpired() throws Exception {
        Path kept = directory.resolve("identity");
        got(prepare(token(Instant.now().plusSeconds(60)), Optional.of(kept)).start());

        Svid again = got(
                prepare(token(Instant.now().minusSeconds(1)), Optional.of(kept)).start());

        assertThat(again.identity().uri()).isEqualTo("spiffe://cluster.local/ns/shop/sa/web");
        assertThat(controller.enrollments).hasValue(1);
        for (String file : List.of("key.pem", "chain.pem", "trust.json")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(kept.resolve(file))))
                    .as(file)
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void enrollsAnewWhenWhatWasKeptIsDamaged() throws Exception {
        Path kept = directory.resolve("identity");
        got(prepare(token(Instant.now().plusSeconds(60)), Optional.of(kept)).start());
        Files.writeString(kept.resolve("key.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");

        got(prepare(token(Instant.now().plusSeconds(60)), Optional.of(kept)).start());

        assertThat(controller.enrollments).hasValue(2);
        assertThat(log()).contains("damaged; enrolling anew").contains("key.pem is missing or is not the key");
    }

    @Test
    void enrollsAnewWhenTheTokenIsOfAnotherMesh() throws Exception {
        Path kept = directory.resolve("identity");
        got(prepare(token(Instant.now().plusSeconds(60)), Optional.of(kept)).start());
        TestAuthority other = new TestAuthority();
        try (FakeController rebuilt = new FakeController(other)) {
            Path token = Files.writeString(
                    directory.resolve("other-token"),
                    rebuilt.token(WEB, Instant.now().plusSeconds(60)));

            got(prepare(rebuilt.address(), token, Optional.of(kept)).start());

            assertThat(rebuilt.enrollments).hasValue(1);
            assertThat(log()).contains("the token is of a mesh with other anchors");
        }
    }

    @Test
    void goesOnWhenTheIdentityDirectoryCannotBeWritten() throws Exception {
        Path occupied = Files.writeString(directory.resolve("occupied"), "a file, not a directory");

        Svid svid = got(prepare(token(Instant.now().plusSeconds(60)), Optional.of(occupied.resolve("identity")))
                .start());

        assertThat(svid.identity().serviceAccount()).isEqualTo("web");
        await().atMost(Duration.ofSeconds(5)).until(() -> log().contains("the identity directory cannot be written"));
    }

    private Path token(Instant expires) throws IOException {
        return Files.writeString(directory.resolve("token"), controller.token(WEB, expires) + "\n");
    }

    private Enroller prepare(Path token, Optional<Path> kept) throws UnusableIdentity {
        return prepare(controller.address(), token, kept);
    }

    private Enroller prepare(HostPort address, Path token, Optional<Path> kept) throws UnusableIdentity {
        return Enroller.prepare(
                wiring,
                address,
                Optional.empty(),
                Optional.of(new TokenFile(token, Clock.systemUTC())),
                kept.map(IdentityDirectory::new));
    }

    private String log() {
        return logged.toString(StandardCharsets.UTF_8);
    }

    private static Svid got(Future<Svid> first) {
        assertThat(first.awaitUninterruptibly(20, TimeUnit.SECONDS)).isTrue();
        assertThat(first.cause()).isNull();
        return first.getNow();
    }
}
