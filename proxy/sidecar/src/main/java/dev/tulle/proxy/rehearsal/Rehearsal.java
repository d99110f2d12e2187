package dev.tulle.proxy.rehearsal;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.WeightedCluster;
import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A caller, two proxies with mutual TLS between them and an application, all in this process and on loopback: HTTP/1.1, HTTP/2 and
 * opaque bytes go through for a while, and everything is taken down again.
 *
 * <p>It runs in a process of its own and teaches the JVM what to keep in its ahead-of-time cache: classes, and how often which code ran.
 * Before the start of a real proxy it would not pay: unwarmed, its certificates alone take a second.
 */
public final class Rehearsal {
    private static final int CONNECTIONS = 4;

    /** Where each kind of traffic goes; the number is a port known only here. */
    enum Act {
        HTTP1(Protocol.HTTP, 81),
        HTTP2(Protocol.HTTP, 82),
        OPAQUE(Protocol.TCP, 83);

        private final Protocol protocol;
        private final int port;

        Act(Protocol protocol, int port) {
            this.protocol = protocol;
            this.port = port;
        }

        private DestinationKey key() {
            return new DestinationKey.ServicePort("rehearsal", "application", port);
        }

        private Destination leadingTo(HostPort inbound) {
            String cluster = "rehearsal/application";
            return new Destination.Service(
                    key(),
                    cluster,
                    protocol,
                    List.of(new Route("", Optional.empty(), List.of(new WeightedCluster(cluster, 1)))),
                    List.of(new Cluster(
                            cluster,
                            List.of(new Endpoint(
                                    inbound, cluster, Optional.of(ShortLivedAuthority.identity("application")), "")))));
        }
    }

    private Rehearsal() {}

    /**
     * Runs for a time and returns how many exchanges went through; blocks.
     *
     * @throws IllegalStateException if the mesh cannot be put up
     */
    public static long run(Transport transport, Limits limits, Duration length) {
        return run(transport, limits, new End(length, Long.MAX_VALUE), Act.values());
    }

    /** When to stop: whichever comes first. */
    record End(Duration length, long exchanges) {}

    static long run(Transport transport, Limits limits, End end, Act... acts) {
        Log silent = new Log(
                new PrintStream(PrintStream.nullOutputStream()),
                Log.Level.ERROR,
                limits.control().maxLogLineChars(),
                Clock.systemUTC());
        ShortLivedAuthority authority = new ShortLivedAuthority();
        try (RehearsedProxy callee = new RehearsedProxy("application", authority, transport, limits, silent);
                RehearsedProxy caller = new RehearsedProxy("caller", authority, transport, limits, silent)) {
            Map<Act, HostPort> applications = new EnumMap<>(Act.class);
            for (Act act : acts) {
                applications.put(act, Application.start(callee.group(), transport, act));
            }
            callee.listen(inbound(applications), List.of(), List.of());
            List<Destination> destinations = new ArrayList<>();
            List<OutboundListener> listeners = new ArrayList<>();
            for (Act act : acts) {
                destinations.add(act.leadingTo(callee.inboundAt(place(act))));
                listeners.add(new OutboundListener(place(act), act.key()));
            }
            caller.listen(List.of(), listeners, destinations);
            Exchanges exchanges = new Exchanges(end);
            for (Act act : acts) {
                for (int i = 0; i < CONNECTIONS; i++) {
                    Caller.start(caller.group(), transport, act, caller.outboundAt(place(act)), exchanges);
                }
            }
            exchanges.awaitEnd();
            return exchanges.number();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    /** An address of loopback for each act, so that port 0 can stand for all of them. */
    private static HostPort place(Act act) {
        return new HostPort("127.0.0." + act.port, 0);
    }

    private static List<InboundPort> inbound(Map<Act, HostPort> applications) {
        List<InboundPort> ports = new ArrayList<>();
        applications.forEach((act, application) -> ports.add(
                new InboundPort("", act.port, List.of(), act.protocol, Optional.of(place(act)), application)));
        return ports;
    }

    /** Counts what went through, until it is time to end. Any thread. */
    static final class Exchanges {
        private final long end;
        private final long enough;
        private final AtomicLong number = new AtomicLong();
        private final CountDownLatch over = new CountDownLatch(1);

        Exchanges(End end) {
            this.end = System.nanoTime() + end.length().toNanos();
            this.enough = end.exchanges();
        }

        /** One more is done; whether there is time for another. */
        boolean next() {
            if (number.incrementAndGet() < enough && System.nanoTime() - end < 0) {
                return true;
            }
            over.countDown();
            return false;
        }

        /** Nothing more will come of it. */
        void failed() {
            over.countDown();
        }

        long number() {
            return number.get();
        }

        private void awaitEnd() throws InterruptedException {
            long left = end - System.nanoTime();
            if (!over.await(left + TimeUnit.SECONDS.toNanos(1), TimeUnit.NANOSECONDS)) {
                over.countDown();
            }
        }
    }
}
