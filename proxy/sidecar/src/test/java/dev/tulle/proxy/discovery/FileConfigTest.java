package dev.tulle.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.IdentityDirectory;
import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.identity.TestAuthority;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.model.DestinationKey.ServicePort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileConfigTest {
    private static final Duration SOON = Duration.ofSeconds(15);

    private final TestAuthority authority = new TestAuthority();
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Transport.best().ioHandlers());
    private final EventLoop control = loops.next();
    private final TlsContexts contexts =
            new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());
    private final Meters meters = new Meters(1000);
    private final Limits.Control limits = Limits.defaults().control();
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final Log log =
            new Log(new PrintStream(logged, true, StandardCharsets.UTF_8), Log.Level.INFO, 4096, Clock.systemUTC());
    private final ConfigStore store =
            new ConfigStore(new WorkloadId("shop", "web-1"), control, limits, meters, log, System::nanoTime);

    @TempDir
    private Path directory;

    private Path file;

    @BeforeEach
    void file() {
        file = directory.resolve("config.json");
    }

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void readsTheFileAndReadsItAgainWhenItChanges() throws Exception {
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));
        assertThat(start(Optional.empty()).isSuccess()).isTrue();
        assertThat(store.table().config().version()).isEqualTo(1);

        Files.writeString(file, ProxyCodec.encode(config(2, "web")));

        await().atMost(SOON).until(() -> store.table().config().version() == 2);
        assertThat(contexts.current()).isEmpty();
    }

    @Test
    void keepsTheLastGoodConfigWhenTheFileBreaks() throws Exception {
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));
        start(Optional.empty());

        Files.writeString(file, "{ \"version\": 2, ");
        await().atMost(SOON).until(() -> log().contains("the last good one stays"));
        assertThat(store.table().config().version()).isEqualTo(1);
        assertThat(log()).contains("config.json");

        Files.writeString(file, ProxyCodec.encode(config(3, "web")));
        await().atMost(SOON).until(() -> store.table().config().version() == 3);
    }

    @Test
    void cannotStartWithoutAReadableFile() throws Exception {
        assertThat(start(Optional.empty()).cause())
                .isInstanceOf(FileConfig.UnusableConfig.class)
                .hasMessageContaining("does not exist: correct --config");

        Files.writeString(file, "[]");
        assertThat(start(Optional.empty()).cause()).isInstanceOf(FileConfig.UnusableConfig.class);
    }

    @Test
    void takesItsIdentityFromTheDirectory() throws Exception {
        Path identity = directory.resolve("identity");
        new IdentityDirectory(identity).save(authority.svid("shop", "web"), authority.trust());
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));

        assertThat(start(Optional.of(identity)).isSuccess()).isTrue();

        assertThat(contexts.current().orElseThrow().identity()).isEqualTo(new SpiffeId("cluster.local", "shop", "web"));
        assertThat(contexts.current().orElseThrow().generation()).isEqualTo(1);
    }

    @Test
    void takesANewCertificateFromTheDirectory() throws Exception {
        Path identity = directory.resolve("identity");
        new IdentityDirectory(identity).save(authority.svid("shop", "web"), authority.trust());
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));
        start(Optional.of(identity));

        Svid next = authority.svid("shop", "web");
        new IdentityDirectory(identity).save(next, authority.trust());

        await().atMost(SOON).until(() -> contexts.current().orElseThrow().generation() == 2);
    }

    @Test
    void refusesAConfigOfAnotherIdentity() throws Exception {
        Path identity = directory.resolve("identity");
        new IdentityDirectory(identity).save(authority.svid("shop", "db"), authority.trust());
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));

        assertThat(start(Optional.of(identity)).cause()).hasMessageContaining("workload.identity");
    }

    @Test
    void saysWhatIsMissingInTheIdentityDirectory() throws Exception {
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));

        assertThat(start(Optional.of(directory)).cause()).hasMessageContaining("holds no key.pem and chain.pem");
    }

    @Test
    void answersAtOnceForADestinationThatIsNotInTheFile() throws Exception {
        Files.writeString(file, ProxyCodec.encode(config(1, "web")));
        start(Optional.empty());
        BlockingQueue<Optional<DestinationTable>> answers = new LinkedBlockingQueue<>();

        store.destination(new ServicePort("shop", "unknown", 80), control, answers::add);

        assertThat(answers.poll(10, TimeUnit.SECONDS)).isEmpty();
    }

    private Future<?> start(Optional<Path> identity) {
        return new FileConfig(
                        control,
                        file,
                        identity,
                        Optional.empty(),
                        store,
                        contexts,
                        meters,
                        limits,
                        log,
                        Clock.systemUTC())
                .start()
                .awaitUninterruptibly();
    }

    private String log() {
        return logged.toString(StandardCharsets.UTF_8);
    }

    private ProxyConfig config(long version, String serviceAccount) {
        return new ProxyConfig(
                version,
                new WorkloadConfig(
                        new WorkloadId("shop", "web-1"),
                        "web",
                        new SpiffeId("cluster.local", "shop", serviceAccount),
                        List.of(),
                        List.of(),
                        InboundPolicy.OPEN,
                        List.of(),
                        Optional.empty()),
                List.of(),
                new TrustBundle("cluster.local", authority.trust().anchors(), ""));
    }
}
