package dev.tulle.proxy.inbound;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.guard.PortRates;
import dev.tulle.proxy.http.ClientHello;
import dev.tulle.proxy.http.ServerConnection;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Report.Denial;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.policy.Caller;
import dev.tulle.proxy.policy.InboundCall;
import dev.tulle.proxy.policy.Reason;
import dev.tulle.proxy.policy.Verdict;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.EdgeMeter;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Detection;
import dev.tulle.proxy.upstream.Listeners;
import dev.tulle.proxy.upstream.OpaqueDial;
import dev.tulle.proxy.upstream.OpaqueRelay;
import dev.tulle.proxy.upstream.ServerNameReader;
import dev.tulle.proxy.upstream.Target;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection that came for the application.
 *
 * <p>First bytes, then one of: our mutual TLS and inside it what ALPN says; HTTP in plain text; opaque bytes, among them the
 * application's own TLS. On the loop of its channel.
 */
final class InboundConnection implements Detection.Outcome, ServerConnection {
    private static final int MAX_REPORTED_PATH = 256;
    private static final long SILENCE_MILLIS = 100;

    private final DataPlane plane;
    private final Listeners<?> listeners;
    private final SocketChannel channel;
    private final int portNumber;
    private final Optional<HostPort> original;
    private final PortRates rates;
    private final Set<InboundConnection> opaqueHere;
    private Caller caller = Caller.UNMESHED;
    private boolean countedAgainstRate;

    InboundConnection(
            DataPlane plane,
            Listeners<?> listeners,
            SocketChannel channel,
            int portNumber,
            Optional<HostPort> original,
            PortRates rates,
            Set<InboundConnection> opaqueHere) {
        this.plane = plane;
        this.listeners = listeners;
        this.channel = channel;
        this.portNumber = portNumber;
        this.original = original;
        this.rates = rates;
        this.opaqueHere = opaqueHere;
    }

    void begin() {
        Detection.begin(channel, firstLook(), plane.limits(), this);
    }

    /**
     * Opaque bytes are not looked at, unless probes come by HTTP to where they are spoken and nobody without identity may pass: then
     * whatever is HTTP in plain text is judged as such, which lets in the probe alone.
     */
    private Protocol firstLook() {
        RoutingTable table = plane.tables().table();
        Protocol protocol = protocol();
        return protocol == Protocol.TCP && !table.probes(portNumber).isEmpty() && !mayPass(table, false)
                ? Protocol.DETECT
                : protocol;
    }

    private Protocol protocol() {
        return port(plane.tables().table()).map(InboundPort::protocol).orElse(Protocol.DETECT);
    }

    /**
     * The port as configured now; one that is redirected here need not be declared, and its application is where the caller dialled it:
     * a pod may have several addresses.
     */
    Optional<InboundPort> port(RoutingTable table) {
        Optional<InboundPort> declared = table.inboundPort(portNumber);
        return original.isEmpty() ? declared : Optional.of(redirected(table, declared, original.get()));
    }

    private InboundPort redirected(RoutingTable table, Optional<InboundPort> declared, HostPort application) {
        return declared.map(port -> new InboundPort(
                        port.name(),
                        portNumber,
                        port.servicePorts(),
                        port.protocol(),
                        Optional.empty(),
                        application,
                        port.rateLimit()))
                .orElseGet(() -> new InboundPort(
                        "",
                        portNumber,
                        List.of(),
                        table.config().workload().opaquePorts().contains(portNumber) ? Protocol.TCP : Protocol.DETECT,
                        Optional.empty(),
                        application));
    }

    DataPlane plane() {
        return plane;
    }

    SocketChannel channel() {
        return channel;
    }

    Caller caller() {
        return caller;
    }

    EdgeMeter meter(boolean http) {
        return plane.meters()
                .edge(
                        Direction.INBOUND,
                        caller.identity().map(SpiffeId::uri).orElse(""),
                        "",
                        Integer.toString(portNumber),
                        http,
                        caller.identity().isPresent());
    }

    @Override
    public Detection.Tls tls(ChannelHandlerContext ctx, ByteBuf soFar) {
        if (caller.identity().isPresent()) {
            // The application's own, inside ours.
            return Detection.Tls.OPAQUE;
        }
        Limits.Tls limits = plane.limits().tls();
        return switch (ClientHello.read(soFar, limits.maxClientHelloBytes())) {
            case ClientHello.Read.More() -> Detection.Tls.MORE;
            case ClientHello.Read.Other() -> Detection.Tls.OPAQUE;
            case ClientHello.Read.Whole(ClientHello hello) -> {
                Optional<TlsContexts.Current> contexts = plane.tls().current();
                if (!isOurs(hello)) {
                    yield Detection.Tls.OPAQUE;
                }
                if (contexts.isEmpty()) {
                    channel.close();
                } else {
                    terminate(contexts.get());
                }
                yield Detection.Tls.TAKEN;
            }
        };
    }

    /**
     * Whether a client wants to speak to this proxy rather than to the application's own TLS: it offers {@code tulle-tcp}, or the
     * port is declared to be HTTP in plain text, behind which no TLS can be.
     */
    private boolean isOurs(ClientHello hello) {
        if (hello.protocols().contains(Alpn.TULLE_TCP.wireName())) {
            return true;
        }
        Protocol protocol = protocol();
        return (protocol == Protocol.HTTP || protocol == Protocol.GRPC)
                && (hello.protocols().contains(Alpn.H2.wireName())
                        || hello.protocols().contains(Alpn.HTTP_1_1.wireName()));
    }

    private void terminate(TlsContexts.Current contexts) {
        if (!plane.handshakes().begin()) {
            plane.meters().limitHit("max_pending_handshakes");
            channel.close();
            return;
        }
        SslHandler handler = contexts.server().newHandler(channel.alloc());
        handler.setHandshakeTimeoutMillis(
                plane.limits().tls().handshakeTimeout().toMillis());
        channel.pipeline().addLast("tls", handler);
        handler.handshakeFuture().addListener(done -> {
            plane.handshakes().end();
            Optional<SpiffeId> peer = done.isSuccess() ? contexts.caller(handler) : Optional.empty();
            if (peer.isEmpty()) {
                plane.meters()
                        .handshakeFailed(Direction.INBOUND, done.isSuccess() ? "no-identity" : "handshake-failed");
                channel.close();
                return;
            }
            caller = Caller.of(peer.get());
            String protocol = handler.applicationProtocol();
            if (Alpn.H2.wireName().equals(protocol)) {
                listeners.serve(channel, true, new InboundRequests(this, true));
            } else if (Alpn.HTTP_1_1.wireName().equals(protocol)) {
                listeners.serve(channel, false, new InboundRequests(this, false));
            } else if (Alpn.TULLE_HTTP1.wireName().equals(protocol)) {
                listeners.serve(channel, true, new InboundRequests(this, false));
            } else if (Alpn.TULLE_TCP.wireName().equals(protocol)) {
                withinOurs();
            } else {
                channel.close();
            }
        });
    }

    /**
     * A peer says that its bytes are opaque. It is believed only where the port is declared so: elsewhere HTTP would get past the rules
     * for requests, and tell the application any identity it likes.
     */
    private void withinOurs() {
        Protocol protocol = protocol();
        if (protocol == Protocol.TCP) {
            Detection.opaque(channel, plane.limits(), this);
        } else {
            Detection.begin(channel, protocol, plane.limits(), this);
        }
    }

    @Override
    public void http(boolean http2) {
        listeners.serve(channel, http2, new InboundRequests(this, http2));
    }

    @Override
    public void dial(boolean asked, Consumer<Channel> connected, Runnable failed) {
        RoutingTable table = plane.tables().table();
        Optional<InboundPort> port = port(table);
        if (port.isEmpty() || !mayPass(table, !asked) || (!asked && !isWithinRate(table))) {
            failed.run();
            return;
        }
        OpaqueDial.start(
                plane.upstreams(channel.eventLoop()),
                Attempt.Source.only(Attempt.unobserved(Target.plain(port.get().application()))),
                new OpaqueDial.Done() {
                    @Override
                    public void connected(Channel upstream, Attempt attempt) {
                        connected.accept(upstream);
                    }

                    @Override
                    public void failed(String reason) {
                        if (!asked) {
                            meter(false).ended(true, 0, -1);
                        }
                        failed.run();
                    }
                });
    }

    @Override
    public void join(Channel upstream) {
        if (!channel.isActive()) {
            upstream.close();
            return;
        }
        // Between the question to the server and now the config may have changed.
        RoutingTable table = plane.tables().table();
        if (!mayPass(table, true) || !isWithinRate(table)) {
            upstream.close();
            channel.close();
            return;
        }
        EdgeMeter meter = meter(false);
        long begun = System.nanoTime();
        opaqueHere.add(this);
        listeners.drainable(channel, this);
        ServerNameReader.watch(channel, plane, Direction.INBOUND, Integer.toString(portNumber));
        OpaqueRelay.join(channel, upstream, (clean, received, sent) -> {
            opaqueHere.remove(this);
            meter.ended(!clean, 0, TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begun));
            plane.meters().bytes(Direction.INBOUND, received, sent);
        });
    }

    /**
     * A proxy of the mesh speaks at once; only a caller in plain text is silent. The server is not asked sooner on later connections:
     * its words, sent in plain text, would spoil the handshake of a proxy whose first bytes are a little late. Behind the handshake it
     * is asked at once, for the other proxy may have found out already that servers here speak first.
     */
    @Override
    public long silenceMillis() {
        return caller.identity().isPresent() ? 0 : SILENCE_MILLIS;
    }

    @Override
    public void serverFirst() {}

    @Override
    public boolean refusesOpaque() {
        return !mayPass(plane.tables().table(), false);
    }

    /** Closes this opaque connection if the config in force forbids it. */
    void judgeAgain(RoutingTable table) {
        if (!mayPass(table, true)) {
            channel.close();
        }
    }

    /** Opaque bytes have no end of their own to wait for: what is under way goes on until the drain's time is up. */
    @Override
    public void drain() {}

    @Override
    public void close() {
        channel.close();
    }

    private boolean mayPass(RoutingTable table, boolean tell) {
        Verdict verdict = table.authorizer().judge(caller, InboundCall.connection(portNumber));
        return switch (verdict) {
            case Verdict.Allow allow -> true;
            case Verdict.Audit(Reason reason, String detail) -> {
                if (tell) {
                    meter(false).denied(denial(reason, detail, "", "", true));
                }
                yield true;
            }
            case Verdict.Deny(Reason reason, String detail) -> {
                if (tell) {
                    meter(false).denied(denial(reason, detail, "", "", false));
                }
                yield false;
            }
        };
    }

    /** Who asks, for limits of rate: its identity, without one its address. */
    String source() {
        return caller.identity()
                .map(SpiffeId::uri)
                .orElseGet(() -> channel.remoteAddress().getAddress().getHostAddress());
    }

    /** How often the callers of this connection's port may ask; null where that is not limited. */
    PortRates.@Nullable Gate gate(InboundPort port) {
        return rates.of(port);
    }

    /** Whether an opaque connection may begin; asked once, before anything is dialled where that can be. */
    private boolean isWithinRate(RoutingTable table) {
        if (!countedAgainstRate) {
            PortRates.Gate gate = port(table).map(this::gate).orElse(null);
            countedAgainstRate = gate == null || gate.ask(source()) == 0;
        }
        return countedAgainstRate;
    }

    /** What the report shows of a refusal. */
    Denial denial(Reason reason, String detail, String method, String path, boolean audited) {
        return new Denial(
                System.currentTimeMillis(),
                caller.identity().map(SpiffeId::uri).orElse(""),
                portNumber,
                method,
                path.length() > MAX_REPORTED_PATH ? path.substring(0, MAX_REPORTED_PATH) : path,
                reason.wireName(),
                detail,
                audited);
    }
}
