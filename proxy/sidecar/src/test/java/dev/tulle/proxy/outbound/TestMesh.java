package dev.tulle.proxy.outbound;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.inbound.InboundServer;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Tables;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Two or more sidecars' data planes in one JVM: {@code client -> outbound -> mutual TLS -> inbound -> application}, on loopback and
 * ephemeral ports, config swapped by hand.
 */
public final class TestMesh implements AutoCloseable {
    static {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    /** The port that callers and rules know. */
    public static final int PORT = 9080;

    public static final DestinationKey KEY = new DestinationKey.ServicePort("shop", "reviews", PORT);
    private static final HostPort ANY = new HostPort("127.0.0.1", 0);

    private final TestAuthority authority = new TestAuthority();
    private final List<Side> sides = new ArrayList<>();

    public TestAuthority authority() {
        return authority;
    }

    public static SpiffeId identity(String account) {
        return new SpiffeId("cluster.local", "shop", account);
    }

    /** The sidecar of an application that serves. */
    public Side server(String account, Protocol protocol, HostPort application, InboundPolicy policy) {
        Side side = new Side(account, authority.svid(identity(account)));
        side.configure(config -> config(
                account,
                List.of(new InboundPort("http", PORT, List.of(), protocol, Optional.of(ANY), application)),
                List.of(),
                policy,
                List.of()));
        side.inboundPort = side.inbound.boundTo(ANY);
        return side;
    }

    /** The sidecar of an application that calls one destination. */
    public Side client(String account, Destination destination) {
        Side side = new Side(account, authority.svid(identity(account)));
        side.configure(config -> config(
                account, List.of(), List.of(new OutboundListener(ANY, KEY)), InboundPolicy.OPEN, List.of(destination)));
        side.outboundPort = side.outbound.boundTo(ANY);
        return side;
    }

    /** Both, for one application. */
    public Side clientOf(Side server, Protocol protocol) {
        return client("web", service(protocol, server.endpoint()));
    }

    public static Destination service(Protocol protocol, Endpoint... endpoints) {
        return service(
                protocol,
                List.of(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/reviews", 1)))),
                List.of(new Cluster("shop/reviews", List.of(endpoints))));
    }

    public static Destination service(Protocol protocol, List<Route> routes, List<Cluster> clusters) {
        return new Destination.Service(KEY, "shop/reviews", protocol, routes, clusters);
    }

    private static ProxyConfig config(
            String account,
            List<InboundPort> inbound,
            List<OutboundListener> outbound,
            InboundPolicy policy,
            List<Destination> destinations) {
        return new ProxyConfig(
                1,
                new WorkloadConfig(
                        new WorkloadId("shop", account + "-1"),
                        account,
                        identity(account),
                        inbound,
                        outbound,
                        policy,
                        List.of(),
                        Optional.empty()),
                destinations,
                new TrustBundle("cluster.local", List.of(), ""));
    }

    @Override
    public void close() {
        sides.forEach(Side::close);
    }

    /** One sidecar's data plane. */
    public final class Side implements AutoCloseable, Tables {
        private final List<Consumer<RoutingTable>> listeners = new CopyOnWriteArrayList<>();
        private final String account;
        public final TlsContexts tls =
                new TlsContexts(Clock.systemUTC(), Limits.defaults().tls());
        public final Meters meters = new Meters(1000);
        public final DataPlane plane;
        public final InboundServer inbound;
        public final OutboundServer outbound;
        private volatile RoutingTable table;
        HostPort inboundPort = ANY;
        HostPort outboundPort = ANY;

        Side(String account, Svid svid) {
            this(account, svid, Limits.defaults());
        }

        Side(String account, Svid svid, Limits limits) {
            this.account = account;
            this.table = RoutingTable.of(config(account, List.of(), List.of(), InboundPolicy.NOBODY, List.of()));
            tls.install(svid, authority.bundle());
            plane = new DataPlane(
                    Transport.best(),
                    1,
                    this,
                    tls,
                    meters,
                    limits,
                    new Log(System.err, Log.Level.WARN, 4096, Clock.systemUTC()));
            inbound = new InboundServer(plane, Optional.empty());
            outbound = new OutboundServer(plane, Optional.empty());
            sides.add(this);
        }

        /** Swaps the config and opens what it asks for. */
        public List<String> configure(UnaryOperator<ProxyConfig> change) {
            RoutingTable next = RoutingTable.of(change.apply(table.config()));
            table = next;
            listeners.forEach(listener -> listener.accept(next));
            List<String> problems = new ArrayList<>();
            try {
                problems.addAll(inbound.listen(next.config().workload())
                        .toCompletableFuture()
                        .get(5, TimeUnit.SECONDS));
                problems.addAll(outbound.listen(next.config().workload())
                        .toCompletableFuture()
                        .get(5, TimeUnit.SECONDS));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return problems;
        }

        public void probes(List<WorkloadConfig.Probe> probes) {
            configure(config -> {
                WorkloadConfig old = config.workload();
                return new ProxyConfig(
                        config.version() + 1,
                        new WorkloadConfig(
                                old.workload(),
                                old.owner(),
                                old.identity(),
                                old.inbound(),
                                old.outbound(),
                                old.policy(),
                                old.meshNetworks(),
                                old.healthCheck(),
                                old.zone(),
                                probes,
                                old.opaquePorts()),
                        config.destinations(),
                        config.trust());
            });
        }

        public void policy(InboundPolicy policy) {
            configure(config -> {
                WorkloadConfig old = config.workload();
                return new ProxyConfig(
                        config.version() + 1,
                        new WorkloadConfig(
                                old.workload(),
                                old.owner(),
                                old.identity(),
                                old.inbound(),
                                old.outbound(),
                                policy,
                                old.meshNetworks(),
                                old.healthCheck()),
                        config.destinations(),
                        config.trust());
            });
        }

        public Endpoint endpoint() {
            return new Endpoint(inboundPort, "shop/" + account + "-1", Optional.of(identity(account)), "");
        }

        /** A socket to the local port that leads to the destination. */
        public Socket dialOutbound() {
            return dial(outboundPort);
        }

        /** A socket to the public port, as a caller without a sidecar has it. */
        public Socket dialInbound() {
            return dial(inboundPort);
        }

        public HostPort outboundPort() {
            return outboundPort;
        }

        public HostPort inboundPort() {
            return inboundPort;
        }

        @Override
        public RoutingTable table() {
            return table;
        }

        @Override
        public void destination(DestinationKey key, EventExecutor loop, Consumer<Optional<DestinationTable>> answer) {
            answer.accept(table.destination(key));
        }

        @Override
        public void used(DestinationKey key) {}

        @Override
        public void onChange(Consumer<RoutingTable> listener) {
            listeners.add(listener);
        }

        @Override
        public void close() {
            inbound.close();
            outbound.close();
            plane.close();
            tls.current().ifPresent(contexts -> {
                ReferenceCountUtil.release(contexts.server());
                contexts.clients().values().forEach(ReferenceCountUtil::release);
            });
        }
    }

    static Socket dial(HostPort to) {
        try {
            Socket socket = new Socket();
            socket.setSoTimeout(10_000);
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), to.port()), 5_000);
            return socket;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
