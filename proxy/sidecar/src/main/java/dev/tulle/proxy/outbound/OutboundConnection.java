package dev.tulle.proxy.outbound;

import dev.tulle.proxy.guard.DestinationGuard;
import dev.tulle.proxy.guard.Guards;
import dev.tulle.proxy.http.Answers;
import dev.tulle.proxy.http.ServerConnection;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.telemetry.Act;
import dev.tulle.proxy.telemetry.EdgeMeter;
import dev.tulle.proxy.upstream.Attempt;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Detection;
import dev.tulle.proxy.upstream.IgnoredRequest;
import dev.tulle.proxy.upstream.Listeners;
import dev.tulle.proxy.upstream.Networks;
import dev.tulle.proxy.upstream.OpaqueDial;
import dev.tulle.proxy.upstream.OpaqueRelay;
import dev.tulle.proxy.upstream.ServerNameReader;
import dev.tulle.proxy.upstream.Target;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.SocketChannel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection that the application opened: what is its destination, then what does it speak. On the loop of its channel.
 *
 * <p>A destination that is not of the mesh is passed through as it is, outside the mesh networks; inside them, and where nothing is
 * known, it is refused, so that nothing leaves in plain text by accident.
 */
final class OutboundConnection implements ServerConnection {
    /** Spent once a destination whose servers speak first: from then on they are dialled at once. */
    private static final long SILENCE_MILLIS = 20;

    private final DataPlane plane;
    private final Listeners<?> listeners;
    private final SocketChannel channel;
    private final DestinationKey key;
    private final Balancer balancer;
    private final Guards.OnLoop guards;
    private final ServerFirstDestinations serverFirst;

    OutboundConnection(
            DataPlane plane,
            Listeners<?> listeners,
            SocketChannel channel,
            DestinationKey key,
            Balancer balancer,
            Guards.OnLoop guards,
            ServerFirstDestinations serverFirst) {
        this.plane = plane;
        this.listeners = listeners;
        this.channel = channel;
        this.key = key;
        this.balancer = balancer;
        this.guards = guards;
        this.serverFirst = serverFirst;
    }

    /** Asks for the destination while reads are off. */
    void begin() {
        plane.tables().destination(key, channel.eventLoop(), found -> {
            if (channel.isOpen()) {
                destinationKnown(found);
            }
        });
    }

    DataPlane plane() {
        return plane;
    }

    SocketChannel channel() {
        return channel;
    }

    DestinationKey key() {
        return key;
    }

    Balancer balancer() {
        return balancer;
    }

    Guards.OnLoop guards() {
        return guards;
    }

    private void destinationKnown(Optional<DestinationTable> found) {
        if (found.isPresent() && found.get().destination() instanceof Destination.Service service) {
            ofService(service);
        } else if (key instanceof DestinationKey.Address(HostPort address)
                && !new Networks(plane.tables().table().config().workload().meshNetworks()).contains(address.host())) {
            passThrough(address);
        } else {
            Detection.begin(channel, Protocol.DETECT, plane.limits(), new ToNowhere());
        }
    }

    private void ofService(Destination.Service service) {
        ToService outcome = new ToService(service.service());
        if (service.protocol() == Protocol.TCP) {
            Detection.opaque(channel, plane.limits(), outcome);
        } else {
            Detection.begin(channel, service.protocol(), plane.limits(), outcome);
        }
    }

    private void passThrough(HostPort address) {
        Detection.opaque(channel, plane.limits(), new ToOutside(address));
    }

    private void relay(Channel upstream, Consumer<Boolean> ended) {
        listeners.drainable(channel, this);
        ServerNameReader.watch(channel, plane, Direction.OUTBOUND, key.toString());
        OpaqueRelay.join(channel, upstream, (clean, received, sent) -> {
            plane.meters().bytes(Direction.OUTBOUND, received, sent);
            ended.accept(clean);
        });
    }

    /** Opaque bytes have no end of their own to wait for: what is under way goes on until the drain's time is up. */
    @Override
    public void drain() {}

    @Override
    public void close() {
        channel.close();
    }

    /** A service of the mesh. */
    private final class ToService implements Detection.Outcome {
        private final String service;
        private String backend = "";
        private Optional<SpiffeId> peer = Optional.empty();

        ToService(String service) {
            this.service = service;
        }

        @Override
        public Detection.Tls tls(ChannelHandlerContext ctx, ByteBuf soFar) {
            return Detection.Tls.OPAQUE;
        }

        @Override
        public void http(boolean http2) {
            listeners.serve(channel, http2, new OutboundRequests(OutboundConnection.this, service, http2));
        }

        /** By the route in force for opaque connections, its shares and its endpoints. */
        @Override
        public void dial(boolean asked, Consumer<Channel> connected, Runnable failed) {
            Optional<Balancer.Backend> chosen = plane.tables()
                    .table()
                    .destination(key)
                    .flatMap(table ->
                            balancer.splitOf(key, service, table.tcpRoute()).next());
            plane.tables().used(key);
            if (chosen.isEmpty()) {
                notConnected(asked, failed);
                return;
            }
            backend = chosen.get().name();
            DestinationGuard guard = guards.of(key).orElse(null);
            Slots slots = guard == null ? null : guard.connections();
            if (guard != null && slots != null && !slots.take()) {
                guard.meter().count(Act.MAX_CONNECTIONS);
                notConnected(asked, failed);
                return;
            }
            Balancer.Endpoints endpoints = chosen.get().endpoints(guard);
            OpaqueDial.start(plane.upstreams(channel.eventLoop()), endpoints, new OpaqueDial.Done() {
                @Override
                public void connected(Channel upstream, Attempt attempt) {
                    peer = endpoints.last().flatMap(last -> last.endpoint().identity());
                    attempt.settled();
                    upstream.closeFuture().addListener(closed -> {
                        attempt.abandoned();
                        giveBack(slots);
                    });
                    connected.accept(upstream);
                }

                @Override
                public void failed(String reason) {
                    giveBack(slots);
                    notConnected(asked, failed);
                }
            });
        }

        private void giveBack(@Nullable Slots slots) {
            if (slots != null) {
                slots.give();
            }
        }

        private void notConnected(boolean asked, Runnable failed) {
            if (!asked) {
                balancer.meter(service, backend, peer, false).ended(true, 0, -1);
            }
            failed.run();
        }

        @Override
        public void join(Channel upstream) {
            EdgeMeter meter = balancer.meter(service, backend, peer, false);
            long begun = System.nanoTime();
            relay(upstream, clean -> meter.ended(!clean, 0, TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begun)));
        }

        @Override
        public long silenceMillis() {
            return serverFirst.contains(key) ? 0 : SILENCE_MILLIS;
        }

        @Override
        public void serverFirst() {
            serverFirst.add(key);
        }
    }

    /** An address outside the mesh: bytes as they are. */
    private final class ToOutside implements Detection.Outcome {
        private final HostPort address;

        ToOutside(HostPort address) {
            this.address = address;
        }

        @Override
        public Detection.Tls tls(ChannelHandlerContext ctx, ByteBuf soFar) {
            return Detection.Tls.OPAQUE;
        }

        @Override
        public void http(boolean http2) {
            throw new IllegalStateException("nobody looks at what goes outside");
        }

        @Override
        public void dial(boolean asked, Consumer<Channel> connected, Runnable failed) {
            plane.upstreams(channel.eventLoop()).opaque(Target.plain(address), connected, failure -> failed.run());
        }

        @Override
        public void join(Channel upstream) {
            relay(upstream, clean -> {});
        }

        @Override
        public long silenceMillis() {
            return SILENCE_MILLIS;
        }

        @Override
        public void serverFirst() {}
    }

    /** Nothing is known of the destination: HTTP hears why, anything else is closed. */
    private final class ToNowhere implements Detection.Outcome {
        @Override
        public Detection.Tls tls(ChannelHandlerContext ctx, ByteBuf soFar) {
            return Detection.Tls.OPAQUE;
        }

        @Override
        public void http(boolean http2) {
            listeners.serve(channel, http2, (head, end, stream) -> {
                Answers.send(
                        stream,
                        head,
                        503,
                        "unknown-destination",
                        "nothing is known of the destination " + key + " and it is inside the mesh networks");
                return new IgnoredRequest(stream);
            });
        }

        @Override
        public void dial(boolean asked, Consumer<Channel> connected, Runnable failed) {
            failed.run();
        }

        @Override
        public void join(Channel upstream) {
            upstream.close();
            channel.close();
        }

        @Override
        public long silenceMillis() {
            return SILENCE_MILLIS;
        }

        @Override
        public void serverFirst() {}
    }
}
