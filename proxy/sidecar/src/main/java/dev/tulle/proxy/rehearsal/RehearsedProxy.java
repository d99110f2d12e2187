package dev.tulle.proxy.rehearsal;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.inbound.InboundServer;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.outbound.OutboundServer;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.Meters;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Tables;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** One data plane of the rehearsal with a config that is given once; it has a loop of its own. */
final class RehearsedProxy implements Tables, AutoCloseable {
    private static final long BIND_SECONDS = 5;
    private static final int MAX_SERIES = 10;

    private final String account;
    private final ShortLivedAuthority authority;
    private final TlsContexts tls;
    private final DataPlane plane;
    private final InboundServer inbound;
    private final OutboundServer outbound;
    private volatile RoutingTable table;

    RehearsedProxy(String account, ShortLivedAuthority authority, Transport transport, Limits limits, Log log) {
        this.account = account;
        this.authority = authority;
        this.table = RoutingTable.of(config(List.of(), List.of(), List.of()));
        this.tls = new TlsContexts(Clock.systemUTC(), limits.tls());
        tls.install(authority.svid(account), authority.bundle());
        this.plane = new DataPlane(transport, 1, this, tls, new Meters(MAX_SERIES), limits, log);
        this.inbound = new InboundServer(plane, Optional.empty());
        this.outbound = new OutboundServer(plane, Optional.empty());
    }

    /** Opens the ports; called once. */
    void listen(List<InboundPort> ports, List<OutboundListener> listeners, List<Destination> destinations)
            throws InterruptedException {
        table = RoutingTable.of(config(ports, listeners, destinations));
        WorkloadConfig workload = table.config().workload();
        try {
            List<String> problems = inbound.listen(workload)
                    .toCompletableFuture()
                    .thenCombine(outbound.listen(workload).toCompletableFuture(), (in, out) -> in.isEmpty() ? out : in)
                    .get(BIND_SECONDS, TimeUnit.SECONDS);
            if (!problems.isEmpty()) {
                throw new IllegalStateException(problems.getFirst());
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the rehearsal cannot listen", e);
        }
    }

    EventLoopGroup group() {
        return plane.group();
    }

    HostPort inboundAt(HostPort place) {
        return inbound.boundTo(place);
    }

    HostPort outboundAt(HostPort place) {
        return outbound.boundTo(place);
    }

    private ProxyConfig config(
            List<InboundPort> ports, List<OutboundListener> listeners, List<Destination> destinations) {
        return new ProxyConfig(
                1,
                new WorkloadConfig(
                        new WorkloadId("rehearsal", account),
                        account,
                        ShortLivedAuthority.identity(account),
                        ports,
                        listeners,
                        InboundPolicy.OPEN,
                        List.of(),
                        Optional.empty()),
                destinations,
                authority.bundle());
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
    public void onChange(Consumer<RoutingTable> listener) {}

    @Override
    public void close() {
        inbound.close();
        outbound.close();
        plane.close();
        tls.close();
    }
}
