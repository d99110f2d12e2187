package dev.tulle.conformance.mesh;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Two sidecars as processes, configured by files: {@code web} calls the service {@code shop/catalog} through its outbound port, and
 * the sidecar of {@code catalog} passes it on to an application.
 */
public final class SidecarPair implements AutoCloseable {
    /** What a sidecar is run with in tests; production flags are the bench's affair. */
    private static final List<String> FLAGS = List.of(
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "--enable-native-access=ALL-UNNAMED");

    private static final Predicate<String> SIDECAR_CLASS_PATH = Pattern.compile(
                    "/proxy/(sidecar|model)/|/(netty|bcpkix|bcprov|bcutil|jackson-core|re2j|jspecify)-")
            .asPredicate();

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    static final Duration START_BOUND = Duration.ofSeconds(30);

    private final Path folder;
    private final TestAuthority authority;
    private final int outboundPort;
    private final int inboundPort;
    private final Sidecar client;
    private final Sidecar server;

    /**
     * One running sidecar.
     *
     * @param adminPort its loopback admin port
     */
    public record Sidecar(Program program, int adminPort) {
        /** Body of a GET on the admin port. */
        public String admin(String path) {
            return SidecarPair.get(adminPort, path).map(HttpResponse::body).orElse("");
        }

        boolean ready() {
            return SidecarPair.get(adminPort, "/readyz")
                            .map(HttpResponse::statusCode)
                            .orElse(0)
                    == 200;
        }
    }

    /**
     * What kind of pair.
     *
     * @param application its address is that of the listeners too
     * @param provenBy service account in the certificate the callee shows
     * @param clientLauncher starts the caller's sidecar
     * @param serverLauncher starts the callee's
     */
    private record Plan(
            Path folder,
            Protocol protocol,
            HostPort application,
            InboundPolicy policy,
            String provenBy,
            Launcher clientLauncher,
            Launcher serverLauncher) {}

    /** How a sidecar is started: what stands before its own arguments, and its environment. */
    private record Launcher(List<String> command, Map<String, String> environment) {
        /** From the test's class path, with small memory. */
        static final Launcher FOR_TESTS = new Launcher(sidecarCommand(), Map.of());
    }

    /** Runs the sidecar of this build, with nothing on its class path that it does not bring itself. */
    static List<String> sidecarCommand() {
        return Program.javaFromClassPath(FLAGS, SIDECAR_CLASS_PATH, "dev.tulle.proxy.Main", List.of());
    }

    private SidecarPair(Plan plan) {
        folder = plan.folder();
        authority = new TestAuthority("cluster.local");
        outboundPort = Program.freePort();
        inboundPort = Program.freePort();
        String host = plan.application().host();
        SpiffeId web = authority.identity("shop", "web");
        SpiffeId catalog = authority.identity("shop", "catalog");
        DestinationKey key = new DestinationKey.ServicePort("shop", "catalog", 80);
        WorkloadConfig callee = new WorkloadConfig(
                new WorkloadId("shop", "catalog-1"),
                "catalog",
                authority.identity("shop", plan.provenBy()),
                List.of(new InboundPort(
                        "main",
                        8080,
                        List.of(80),
                        plan.protocol(),
                        Optional.of(new HostPort(host, inboundPort)),
                        plan.application())),
                List.of(),
                plan.policy(),
                List.of(),
                Optional.empty());
        WorkloadConfig caller = new WorkloadConfig(
                new WorkloadId("shop", "web-1"),
                "web",
                web,
                List.of(),
                List.of(new OutboundListener(new HostPort(host, outboundPort), key)),
                InboundPolicy.OPEN,
                List.of(),
                Optional.empty());
        Destination destination = new Destination.Service(
                key,
                "shop/catalog",
                plan.protocol(),
                List.of(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/catalog", 1)))),
                List.of(new Cluster(
                        "shop/catalog",
                        List.of(new Endpoint(
                                new HostPort(host, inboundPort), "shop/catalog-1", Optional.of(catalog), "")))));
        server = start(
                folder,
                "catalog",
                new ProxyConfig(1, callee, List.of(), authority.bundle()),
                authority.leaf(authority.identity("shop", plan.provenBy())),
                plan.serverLauncher());
        client = start(
                folder,
                "web",
                new ProxyConfig(1, caller, List.of(destination), authority.bundle()),
                authority.leaf(web),
                plan.clientLauncher());
        server.program().awaitThat("ready", START_BOUND, server::ready);
        client.program().awaitThat("ready", START_BOUND, client::ready);
    }

    /** An open mesh in front of an application that speaks {@code protocol}. */
    public static SidecarPair open(Path folder, Protocol protocol, int applicationPort) {
        return withPolicy(folder, protocol, applicationPort, InboundPolicy.OPEN);
    }

    /** A mesh whose callee enforces {@code policy}; identities are of the trust domain {@code cluster.local}. */
    public static SidecarPair withPolicy(Path folder, Protocol protocol, int applicationPort, InboundPolicy policy) {
        return at(folder, protocol, new HostPort("127.0.0.1", applicationPort), policy);
    }

    /** A mesh that listens where its application does, on an address of this machine. */
    public static SidecarPair at(Path folder, Protocol protocol, HostPort application, InboundPolicy policy) {
        return new SidecarPair(
                new Plan(folder, protocol, application, policy, "catalog", Launcher.FOR_TESTS, Launcher.FOR_TESTS));
    }

    /** A mesh whose callee shows a good certificate of somebody else. */
    public static SidecarPair withWrongServer(Path folder, Protocol protocol, int applicationPort) {
        return new SidecarPair(new Plan(
                folder,
                protocol,
                new HostPort("127.0.0.1", applicationPort),
                InboundPolicy.OPEN,
                "thief",
                Launcher.FOR_TESTS,
                Launcher.FOR_TESTS));
    }

    /** Gives the callee's sidecar another config while it runs, or something that is none; it looks twice a second. */
    public void rewriteServerConfig(UnaryOperator<String> change) {
        Path file = folder.resolve("catalog.json");
        try {
            Path beside = Files.writeString(folder.resolve("catalog.json.new"), change.apply(Files.readString(file)));
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public TestAuthority authority() {
        return authority;
    }

    /** Where the calling application dials. */
    public int outboundPort() {
        return outboundPort;
    }

    /** The callee's public port, mutual TLS. */
    public int inboundPort() {
        return inboundPort;
    }

    public Sidecar client() {
        return client;
    }

    public Sidecar server() {
        return server;
    }

    @Override
    public void close() {
        client.program().close();
        server.program().close();
    }

    /** A sidecar from the test's class path, with its config and certificate as files; does not wait until it is ready. */
    static Sidecar start(Path folder, String name, ProxyConfig config, TestAuthority.Leaf leaf) {
        return start(folder, name, config, leaf, Launcher.FOR_TESTS);
    }

    private static Sidecar start(
            Path folder, String name, ProxyConfig config, TestAuthority.Leaf leaf, Launcher launcher) {
        try {
            Files.writeString(folder.resolve(name + ".json"), ProxyCodec.encode(config));
            Path identity = Files.createDirectories(folder.resolve(name + ".identity"));
            Files.writeString(identity.resolve("chain.pem"), leaf.chainPem());
            Files.writeString(identity.resolve("key.pem"), leaf.keyPem());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int adminPort = Program.freePort();
        return new Sidecar(run(folder, name, launcher, adminPort), adminPort);
    }

    private static Program run(Path folder, String name, Launcher launcher, int adminPort) {
        List<String> command = new ArrayList<>(launcher.command());
        command.addAll(List.of(
                "--config",
                folder.resolve(name + ".json").toString(),
                "--identity-dir",
                folder.resolve(name + ".identity").toString(),
                "--admin",
                "off",
                "--admin-local",
                "127.0.0.1:" + adminPort,
                "--drain-delay",
                "200ms",
                "--concurrency",
                "1"));
        return Program.start(folder, name, command, launcher.environment());
    }

    private static Optional<HttpResponse<String>> get(int port, String path) {
        try {
            return Optional.of(HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(port, path)))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
