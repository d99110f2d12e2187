package dev.tulle.conformance.bench;

import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.repository.Repository;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tulle's sidecar, on a JVM as {@code install/tulle proxy} starts it or as a native program: everything denied but what one grant with
 * a route allows, metrics and balancing on.
 *
 * @param nativeProgram empty for the JVM
 */
record Tulle(Optional<Path> nativeProgram) implements Subject {
    /** The JDK's own switches, which count for the sidecar too. */
    private static final String WITHOUT_TICKETS =
            "-Djdk.tls.client.enableSessionTicketExtension=false -Djdk.tls.server.enableSessionTicketExtension=false";

    private static final SpiffeId NEAR = new SpiffeId(Running.TRUST_DOMAIN, "shop", "web");
    private static final SpiffeId FAR = new SpiffeId(Running.TRUST_DOMAIN, "shop", "catalog");
    private static final DestinationKey KEY = new DestinationKey.ServicePort("shop", "catalog", 80);

    @Override
    public Known known() {
        return nativeProgram.isPresent() ? Known.NATIVE : Known.TULLE;
    }

    @Override
    public Optional<String> missing() {
        return nativeProgram
                .filter(program -> !Files.isExecutable(program))
                .map(program ->
                        "%s is not there: './mvnw -Pnative -pl proxy/sidecar -am package' makes it".formatted(program));
    }

    @Override
    public String version() {
        return Shell.first(
                Repository.text(Repository.root().resolve("pom.xml")),
                "<artifactId>tulle</artifactId>\\s*<version>([^<]+)<");
    }

    @Override
    public Command prepare(Hop hop) throws IOException {
        Protocol protocol = switch (hop.traffic()) {
            case HTTP1, HTTP2 -> Protocol.HTTP;
            case GRPC -> Protocol.GRPC;
            case TCP -> Protocol.TCP;
        };
        TrustBundle trust =
                new TrustBundle(Running.TRUST_DOMAIN, List.of(Files.readString(hop.file("anchor.pem"))), "");
        Path config = hop.file("config.json");
        Files.writeString(
                config,
                ProxyCodec.encode(
                        hop.near()
                                ? new ProxyConfig(
                                        1, caller(hop.listen()), List.of(catalog(protocol, hop.next())), trust)
                                : new ProxyConfig(1, callee(protocol, hop), List.of(), trust)));
        List<String> words = new ArrayList<>();
        if (nativeProgram.isPresent()) {
            words.add(nativeProgram.get().toString());
            if (!hop.resume()) {
                words.addAll(List.of(WITHOUT_TICKETS.split(" ")));
            }
        } else {
            words.add(Repository.root().resolve("install/tulle").toString());
            words.add("proxy");
        }
        words.addAll(List.of(
                "--config", config.toString(), "--identity-dir", hop.folder().toString()));
        words.addAll(List.of("--admin", "127.0.0.1:" + Program.freePort()));
        words.addAll(List.of("--admin-local", "127.0.0.1:" + Program.freePort(), "--concurrency", "1"));
        words.addAll(List.of("--drain-delay", "0s", "--drain-timeout", "1s"));
        return new Command(words, hop.resume() ? Map.of() : Map.of("TULLE_JAVA_OPTS", WITHOUT_TICKETS));
    }

    private static WorkloadConfig caller(int port) {
        return new WorkloadConfig(
                new WorkloadId("shop", "web-1"),
                "web",
                NEAR,
                List.of(),
                List.of(new OutboundListener(loopback(port), KEY)),
                InboundPolicy.OPEN,
                List.of(),
                Optional.empty());
    }

    private static WorkloadConfig callee(Protocol protocol, Hop hop) {
        Optional<List<HttpMatch>> routes = protocol == Protocol.TCP
                ? Optional.empty()
                : Optional.of(List.of(new HttpMatch(
                        "everything",
                        Optional.of(new HttpMatch.PathPattern("/.*", false)),
                        List.of("GET", "POST"),
                        List.of())));
        return new WorkloadConfig(
                new WorkloadId("shop", "catalog-1"),
                "catalog",
                FAR,
                List.of(new InboundPort(
                        "main",
                        8080,
                        List.of(80),
                        protocol,
                        Optional.of(loopback(hop.listen())),
                        loopback(hop.next()))),
                List.of(),
                new InboundPolicy(
                        InboundPolicy.Access.CLOSED,
                        InboundPolicy.Unmeshed.DENY,
                        false,
                        List.of(new Grant("shop/web-to-catalog", List.of(NEAR), Optional.empty(), routes))),
                List.of(),
                Optional.empty());
    }

    private static Destination catalog(Protocol protocol, int port) {
        return new Destination.Service(
                KEY,
                "shop/catalog",
                protocol,
                List.of(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/catalog", 1)))),
                List.of(new Cluster(
                        "shop/catalog",
                        List.of(new Endpoint(loopback(port), "shop/catalog-1", Optional.of(FAR), "")))));
    }

    private static HostPort loopback(int port) {
        return new HostPort("127.0.0.1", port);
    }
}
