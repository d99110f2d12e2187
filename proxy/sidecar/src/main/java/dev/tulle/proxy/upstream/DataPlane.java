package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** What inbound and outbound share: loops, tables, keys, meters, limits, and the upstream connections of each loop. */
public final class DataPlane implements AutoCloseable {
    private final Transport transport;
    private final EventLoopGroup group;
    private final Tables tables;
    private final TlsContexts tls;
    private final Meters meters;
    private final Limits limits;
    private final Log log;
    private final Counted handshakes;
    private final Map<EventLoop, Upstreams> upstreams = new LinkedHashMap<>();

    /**
     * Starts the loops.
     *
     * @param loops how many, each one thread
     */
    public DataPlane(
            Transport transport, int loops, Tables tables, TlsContexts tls, Meters meters, Limits limits, Log log) {
        this(transport, loops, tables, tls, meters, limits, log, Set.of());
    }

    /**
     * Starts the loops.
     *
     * @param own addresses of this pod beyond loopback, where nat rules redirect its traffic: a proxy expected there is this one
     */
    public DataPlane(
            Transport transport,
            int loops,
            Tables tables,
            TlsContexts tls,
            Meters meters,
            Limits limits,
            Log log,
            Set<InetAddress> own) {
        this.transport = transport;
        this.group = new MultiThreadIoEventLoopGroup(
                loops, new DefaultThreadFactory("tulle-data", true), transport.ioHandlers());
        this.tables = tables;
        this.tls = tls;
        this.meters = meters;
        this.limits = limits;
        this.log = log;
        this.handshakes = new Counted(limits.tls().maxPendingHandshakes());
        for (EventLoop loop : loops()) {
            upstreams.put(loop, new Upstreams(loop, transport, tls, limits, meters, own));
            LoopLag.watch(loop, meters, log);
        }
        tls.onChange(current ->
                upstreams.forEach((loop, pools) -> loop.execute(() -> pools.replacedBy(current.generation()))));
    }

    public Transport transport() {
        return transport;
    }

    public EventLoopGroup group() {
        return group;
    }

    /** Every loop, in a fixed order. */
    public List<EventLoop> loops() {
        List<EventLoop> loops = new ArrayList<>();
        group.forEach(executor -> loops.add((EventLoop) executor));
        return loops;
    }

    /** Ends the loops and with them every connection; waits at most five seconds. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    public Tables tables() {
        return tables;
    }

    public TlsContexts tls() {
        return tls;
    }

    public Meters meters() {
        return meters;
    }

    public Limits limits() {
        return limits;
    }

    public Log log() {
        return log;
    }

    /** Handshakes that clients have begun with us. */
    public Counted handshakes() {
        return handshakes;
    }

    /** The upstream connections of a loop; to be used on that loop only. */
    public Upstreams upstreams(EventLoop loop) {
        Upstreams found = upstreams.get(loop);
        if (found == null) {
            throw new IllegalStateException("%s is not a loop of this data plane".formatted(loop));
        }
        return found;
    }
}
