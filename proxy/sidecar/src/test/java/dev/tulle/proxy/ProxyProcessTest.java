package dev.tulle.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.tulle.proxy.identity.FakeController;
import dev.tulle.proxy.identity.TestAuthority;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToController;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The proxy as a process of its own: what it says, how it ends. */
class ProxyProcessTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private final List<Process> started = new ArrayList<>();
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    @AfterEach
    void stop() {
        started.forEach(Process::destroyForcibly);
        client.close();
    }

    @Test
    void printsItsHelp() throws Exception {
        Process proxy = start("--help");

        assertThat(ended(proxy)).isZero();
        assertThat(log()).contains("Usage:").contains("--identity-dir");
    }

    @Test
    void tellsWrongUsageByItsExitCode() throws Exception {
        Process proxy = start("--config");

        assertThat(ended(proxy)).isEqualTo(2);
        assertThat(log()).contains("tulle-sidecar: --config needs a value: --config FILE");
    }

    @Test
    void cannotStartWithAnExpiredToken() throws Exception {
        Path token = Files.writeString(
                directory.resolve("token"),
                FakeController.token(WEB, Instant.now().minusSeconds(5), new TestAuthority().trust()));

        Process proxy = start(
                "--controller",
                "127.0.0.1:1",
                "--token-file",
                token.toString(),
                "--admin",
                "off",
                "--admin-local",
                "off");

        assertThat(ended(proxy)).isEqualTo(1);
        assertThat(log()).contains("has expired").contains("make a new one with 'tulle token shop/web-1'");
    }

    @Test
    void finishesWhatIsInFlightWhenItIsTerminated() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        application.createContext("/slow", exchange -> {
            asked.countDown();
            try {
                if (!goOn.await(30, TimeUnit.SECONDS)) {
                    throw new IOException("the test forgot this request");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            byte[] body = "done".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        application.start();
        try {
            Path config = Files.writeString(
                    directory.resolve("config.json"),
                    ProxyCodec.encode(new ProxyConfig(
                            1,
                            workload(application.getAddress().getPort()),
                            List.of(),
                            new TrustBundle("cluster.local", List.of(), ""))));
            Process proxy = start(
                    "--config",
                    config.toString(),
                    "--admin",
                    "127.0.0.1:0",
                    "--admin-local",
                    "off",
                    "--drain-delay",
                    "0s");
            URI admin = URI.create("http://" + address("for=admin"));
            URI inbound = URI.create("http://" + address("for=inbound"));
            await().atMost(SOON).until(() -> get(admin.resolve("/readyz")).statusCode() == 200);
            CompletableFuture<HttpResponse<String>> slow = client.sendAsync(
                    HttpRequest.newBuilder(inbound.resolve("/slow")).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();

            proxy.destroy();
            await().atMost(SOON)
                    .until(() -> get(admin.resolve("/readyz")).body().contains("draining"));
            goOn.countDown();

            assertThat(slow.get(30, TimeUnit.SECONDS)).satisfies(answer -> {
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.body()).isEqualTo("done");
            });
            assertThat(ended(proxy)).isZero();
            assertThat(log()).contains("info draining").contains("info ended");
        } finally {
            goOn.countDown();
            application.stop(0);
        }
    }

    @Test
    void joinsAMeshAndLeavesItOnRequest() throws Exception {
        TestAuthority authority = new TestAuthority();
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        application.start();
        try (FakeController controller = new FakeController(authority)) {
            Path token = Files.writeString(
                    directory.resolve("token"),
                    controller.token(WEB, Instant.now().plusSeconds(300)));
            Path adminToken = Files.writeString(directory.resolve("admin-token"), "0123456789abcdef\n");

            Process proxy = start(
                    "--controller",
                    controller.address().toString(),
                    "--token-file",
                    token.toString(),
                    "--admin",
                    "off",
                    "--admin-local",
                    "127.0.0.1:0",
                    "--admin-token-file",
                    adminToken.toString(),
                    "--drain-delay",
                    "0s");
            URI admin = URI.create("http://" + address("for=admin-local"));
            assertThat(controller.next(ToController.Hello.class).workload()).isEqualTo(WEB);
            assertThat(get(admin.resolve("/readyz")).body()).contains("policy: waiting");
            controller.send(new ToProxy.Trust(1, authority.trust()));
            controller.send(
                    new ToProxy.Workload(2, workload(application.getAddress().getPort())));
            ToController.Health health = controller.next(ToController.Health.class);
            while (!health.ready()) {
                health = controller.next(ToController.Health.class);
            }
            assertThat(get(admin.resolve("/readyz")).statusCode()).isEqualTo(200);
            assertThat(get(admin.resolve("/config")).body()).contains("\"shop/web-1\"");
            assertThat(get(admin.resolve("/metrics")).body())
                    .contains("tulle_proxy_ready 1\n")
                    .contains("tulle_config_version 2\n");

            HttpResponse<String> leave = client.send(
                    HttpRequest.newBuilder(admin.resolve("/shutdown"))
                            .header("Authorization", "Bearer 0123456789abcdef")
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());

            assertThat(leave.statusCode()).isEqualTo(202);
            assertThat(controller.next(ToController.Health.class).ready()).isFalse();
            assertThat(ended(proxy)).isZero();
        } finally {
            application.stop(0);
        }
    }

    @Test
    void doesNotStartOnAnotherTlsEngine() throws Exception {
        Process proxy = start(List.of("-Dio.netty.handler.ssl.noOpenSsl=true"), "--config", "none.json");

        assertThat(ended(proxy)).isEqualTo(1);
        assertThat(log()).contains("BoringSSL cannot be loaded");
    }

    private Process start(String... args) throws IOException {
        return start(List.of(), args);
    }

    private Process start(List<String> flags, String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(flags);
        command.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "dev.tulle.proxy.Main"));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(logFile().toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("TULLE_"));
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static int ended(Process process) throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the proxy ends").isTrue();
        return process.exitValue();
    }

    private Path logFile() {
        return directory.resolve("proxy.log");
    }

    private String log() throws IOException {
        return Files.exists(logFile()) ? Files.readString(logFile()) : "";
    }

    /** Where it says it listens. */
    private String address(String what) {
        Pattern line = Pattern.compile("listening " + what + " .*address=(\\S+)|listening " + what + " address=(\\S+)");
        await().atMost(SOON).untilAsserted(() -> assertThat(log()).containsPattern(line));
        try {
            Matcher matcher = line.matcher(log());
            assertThat(matcher.find()).isTrue();
            return matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static WorkloadConfig workload(int application) {
        return new WorkloadConfig(
                WEB,
                "web",
                new SpiffeId("cluster.local", "shop", "web"),
                List.of(new InboundPort(
                        "http",
                        9080,
                        List.of(),
                        Protocol.HTTP,
                        Optional.of(new HostPort("127.0.0.1", 0)),
                        new HostPort("127.0.0.1", application))),
                List.of(),
                InboundPolicy.OPEN,
                List.of(),
                Optional.empty());
    }
}
