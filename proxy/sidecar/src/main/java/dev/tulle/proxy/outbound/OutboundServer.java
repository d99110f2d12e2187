package dev.tulle.proxy.outbound;

import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.guard.Guards;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.redirect.RedirectRules;
import dev.tulle.proxy.upstream.DataPlane;
import dev.tulle.proxy.upstream.Listeners;
import dev.tulle.proxy.upstream.OriginalDestination;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** Accepts what the application sends: one listener a destination, or one for all that is redirected. */
public final class OutboundServer implements AutoCloseable {
    private final DataPlane plane;
    private final Optional<Settings.Redirected> redirected;
    private volatile Consumer<HostPort> proof = original -> {};
    private final Listeners<Optional<DestinationKey>> listeners;
    private final ServerFirstDestinations serverFirst = new ServerFirstDestinations();
    private final Guards guards;
    private final Map<EventLoop, Balancer> balancers = new LinkedHashMap<>();
    private final Map<EventLoop, Guards.OnLoop> guardsOnLoops = new LinkedHashMap<>();

    /** @param redirected where redirected connections arrive; empty when every destination has a listener of its own */
    public OutboundServer(DataPlane plane, Optional<Settings.Redirected> redirected) {
        this.plane = plane;
        this.redirected = redirected;
        this.listeners = new Listeners<>(plane, Direction.OUTBOUND, this::accepted);
        this.guards = new Guards(plane);
        for (EventLoop loop : plane.loops()) {
            guardsOnLoops.put(loop, guards.on(loop));
            balancers.put(loop, new Balancer(plane.meters()));
        }
    }

    /**
     * Opens the listeners of a config and closes those that are gone; connections are left alone.
     *
     * @return what could not be opened, one sentence each; the rest works
     */
    public CompletionStage<List<String>> listen(WorkloadConfig config) {
        Map<HostPort, Optional<DestinationKey>> wanted = new LinkedHashMap<>();
        redirected.ifPresent(
                to -> wanted.put(new HostPort(plane.transport().anyAddress(), to.outboundPort()), Optional.empty()));
        for (OutboundListener listener : config.outbound()) {
            wanted.put(listener.listen(), Optional.of(listener.destination()));
        }
        return listeners.open(wanted);
    }

    /** What holds for calls beyond sending them. */
    public Guards guards() {
        return guards;
    }

    /** Where a listener accepts, with the port the system chose for port 0. */
    public HostPort boundTo(HostPort address) {
        return listeners.boundTo(address);
    }

    /**
     * Accepts no more, waits for what is in flight and closes the rest.
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

    /** Tells of connections by which the proxy proves to itself that the redirect works; on any loop. */
    public void onProof(Consumer<HostPort> listener) {
        proof = listener;
    }

    private static boolean isLoopback(HostPort address) {
        return address.host().equals("127.0.0.1") || address.host().equals("::1");
    }

    private void accepted(SocketChannel channel, Optional<DestinationKey> listener) {
        Optional<DestinationKey> key = listener;
        if (key.isEmpty()) {
            Optional<HostPort> original = OriginalDestination.of(channel);
            if (original.isPresent()
                    && original.get().port() == RedirectRules.PROOF_PORT
                    && isLoopback(original.get())) {
                proof.accept(original.get());
                channel.close();
                return;
            }
            key = original.map(DestinationKey.Address::new);
        }
        Balancer balancer = balancers.get(channel.eventLoop());
        Guards.OnLoop guardsHere = guardsOnLoops.get(channel.eventLoop());
        if (key.isEmpty() || balancer == null || guardsHere == null) {
            // Somebody dialled the common port itself: that leads nowhere.
            channel.close();
            return;
        }
        new OutboundConnection(plane, listeners, channel, key.get(), balancer, guardsHere, serverFirst).begin();
    }
}
