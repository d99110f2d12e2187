package dev.tulle.proxy.inbound;

import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.guard.PortRates;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Listeners;
import dev.tulle.proxy.upstream.OriginalDestination;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** Accepts what comes for the application: one listener a port, or one for all that is redirected. */
public final class InboundServer implements AutoCloseable {
    /** Key of the listener that takes redirected connections. */
    private static final int REDIRECTED = 0;

    private final DataPlane plane;
    private final Optional<Settings.Redirected> redirected;
    private final Listeners<Integer> listeners;
    private final PortRates rates;
    private final Map<EventLoop, Set<InboundConnection>> opaque = new LinkedHashMap<>();

    /** @param redirected where redirected connections arrive; empty when every port has a listener of its own */
    public InboundServer(DataPlane plane, Optional<Settings.Redirected> redirected) {
        this.plane = plane;
        this.redirected = redirected;
        this.rates = new PortRates(plane.meters(), plane.limits().calls().maxCallers());
        this.listeners = new Listeners<>(plane, Direction.INBOUND, this::accepted);
        for (EventLoop loop : plane.loops()) {
            opaque.put(loop, new LinkedHashSet<>());
        }
        plane.tables().onChange(this::judgeAgain);
    }

    /**
     * Opens the listeners of a config and closes those that are gone; connections are left alone.
     *
     * @return what could not be opened, one sentence each; the rest works
     */
    public CompletionStage<List<String>> listen(WorkloadConfig config) {
        Map<HostPort, Integer> wanted = new LinkedHashMap<>();
        redirected.ifPresent(
                to -> wanted.put(new HostPort(plane.transport().anyAddress(), to.inboundPort()), REDIRECTED));
        for (InboundPort port : config.inbound()) {
            port.listen().ifPresent(address -> wanted.put(address, port.port()));
        }
        return listeners.open(wanted);
    }

    /** How often callers may ask. */
    public PortRates rates() {
        return rates;
    }

    /** Where a listener accepts, with the port the system chose for port 0. */
    public HostPort boundTo(HostPort address) {
        return listeners.boundTo(address);
    }

    /**
     * Accepts no more, tells clients to go elsewhere, waits for what is in flight and closes the rest.
     *
     * @return done when every connection is closed
     */
    public CompletionStage<Void> drain(Duration atMost) {
        return listeners.drain(atMost);
    }

    /** Closes listeners and connections at once. */
    @Override
    public void close() {
        listeners.close();
    }

    private void accepted(SocketChannel channel, int key) {
        Optional<HostPort> original = Optional.empty();
        int port = key;
        if (key == REDIRECTED) {
            original = OriginalDestination.of(channel);
            if (original.isEmpty() || isOwn(original.get().port())) {
                // Somebody dialled a common port itself: there is no application behind it.
                channel.close();
                return;
            }
            port = original.get().port();
        }
        Set<InboundConnection> opaqueHere = opaque.getOrDefault(channel.eventLoop(), Set.of());
        new InboundConnection(plane, listeners, channel, port, original, rates, opaqueHere).begin();
    }

    private boolean isOwn(int port) {
        return redirected
                .filter(to -> port == to.inboundPort() || port == to.outboundPort())
                .isPresent();
    }

    /** Opaque connections were judged when they began; a new config may forbid them. */
    private void judgeAgain(RoutingTable table) {
        opaque.forEach((loop, connections) ->
                loop.execute(() -> List.copyOf(connections).forEach(connection -> connection.judgeAgain(table))));
    }
}
