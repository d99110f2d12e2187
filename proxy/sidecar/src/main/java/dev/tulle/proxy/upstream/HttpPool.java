package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.ConnectionOwner;
import dev.tulle.proxy.http.Http1ClientConnection;
import dev.tulle.proxy.http.Http2ClientConnection;
import dev.tulle.proxy.http.HttpConnection;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop to one target by one protocol.
 *
 * <p>Requests that find no room wait in order; a connection is dialled for them while limits allow. The connection used last is
 * used next, so that surplus ones grow old and close.
 */
final class HttpPool implements ConnectionOwner {
    /** HTTP/2 connections to one target; each carries many streams. */
    private static final int MAX_HTTP2_CONNECTIONS = 16;

    private final EventLoop loop;
    private final Target target;
    private final Alpn protocol;
    private final Dialer dialer;
    private final Limits limits;
    private final Meters meters;
    private final Runnable whenEmpty;
    private final Deque<HttpConnection> withRoom = new ArrayDeque<>();
    private final Set<HttpConnection> open = new LinkedHashSet<>();
    private final Deque<Waiter> waiters = new ArrayDeque<>();
    private int dialling;
    /** Whether a connection carries many requests at once: by the protocol the endpoint took last. */
    private boolean multiplexed;

    HttpPool(
            EventLoop loop,
            Target target,
            Alpn protocol,
            Dialer dialer,
            Limits limits,
            Meters meters,
            Runnable whenEmpty) {
        this.loop = loop;
        this.target = target;
        this.protocol = protocol;
        this.multiplexed = protocol != Alpn.HTTP_1_1;
        this.dialer = dialer;
        this.limits = limits;
        this.meters = meters;
        this.whenEmpty = whenEmpty;
    }

    /** A request that waits for a connection; one of both is called once, unless it is no longer wanted. */
    abstract static class Waiter {
        private @Nullable Future<?> timeout;

        abstract boolean isWanted();

        /** Whether it may wait, where there is no connection for it at once. */
        abstract boolean mayWait();

        /** Connections of which one is taken for each that is dialled for it; null where there is no limit. */
        abstract @Nullable Slots connections();

        /** Open a stream on it inside this call. */
        abstract void ready(HttpConnection connection);

        abstract void failed(DialFailure failure);
    }

    /**
     * A connection that takes a request at once, or null; once the request is opened on it, say so by {@link #opened}.
     *
     * @param repeatable whether the request may be sent again when the connection turns out to have ended
     */
    @Nullable HttpConnection ready(boolean repeatable) {
        while (!withRoom.isEmpty()) {
            if (!repeatable && withRoom.getLast().hasRested()) {
                // All others have rested longer.
                return null;
            }
            HttpConnection connection = withRoom.removeLast();
            if (connection.hasRoom()) {
                return connection;
            }
        }
        return null;
    }

    /** Whether {@link #ready} would give one. */
    boolean isReady() {
        while (!withRoom.isEmpty() && !withRoom.getLast().hasRoom()) {
            withRoom.removeLast();
        }
        return !withRoom.isEmpty();
    }

    boolean isDialling() {
        return dialling > 0;
    }

    /** A request was opened on what {@link #ready} gave. */
    void opened(HttpConnection connection) {
        if (connection.hasRoom() && !isKnownToHaveRoom(connection)) {
            withRoom.addLast(connection);
        }
    }

    /** Lets a request wait for a connection that nobody has used yet, or that becomes free; at most {@code queueMillis}. */
    void await(Waiter waiter, long queueMillis) {
        if (waiters.size() >= limits.connections().maxPendingRequests()) {
            meters.limitHit("max_pending_requests");
            waiter.failed(DialFailure.QUEUE_FULL);
            return;
        }
        if (!waiter.mayWait()) {
            waiter.failed(DialFailure.MAX_PENDING);
            return;
        }
        waiters.add(waiter);
        waiter.timeout = loop.schedule(() -> expire(waiter), queueMillis, TimeUnit.MILLISECONDS);
        dialAsNeeded();
    }

    boolean isEmpty() {
        return open.isEmpty() && waiters.isEmpty() && dialling == 0;
    }

    void drain() {
        new ArrayList<>(open).forEach(HttpConnection::drain);
    }

    private void expire(Waiter late) {
        if (waiters.remove(late)) {
            meters.limitHit("queue_timeout");
            late.failed(DialFailure.QUEUE_TIMEOUT);
        }
    }

    @Override
    public void onRoom(HttpConnection connection) {
        serve(connection);
        if (connection.hasRoom() && open.contains(connection) && !isKnownToHaveRoom(connection)) {
            if (!multiplexed && withRoom.size() >= limits.connections().maxIdlePerEndpoint()) {
                connection.close();
            } else {
                withRoom.addLast(connection);
            }
        }
    }

    @Override
    public void onUnusable(HttpConnection connection) {
        open.remove(connection);
        withRoom.remove(connection);
        if (!waiters.isEmpty()) {
            dialAsNeeded();
        }
        if (isEmpty()) {
            whenEmpty.run();
        }
    }

    private void serve(HttpConnection connection) {
        while (connection.hasRoom() && !waiters.isEmpty()) {
            Waiter waiter = next();
            if (waiter.isWanted()) {
                waiter.ready(connection);
            }
        }
    }

    /** The one that has waited longest; it waits no more. */
    private Waiter next() {
        Waiter waiter = waiters.remove();
        settle(waiter);
        return waiter;
    }

    private static void settle(Waiter waiter) {
        if (waiter.timeout != null) {
            waiter.timeout.cancel(false);
        }
    }

    /** A connection that takes many requests tells again and again that it has room. */
    private boolean isKnownToHaveRoom(HttpConnection connection) {
        return protocol != Alpn.HTTP_1_1 && withRoom.contains(connection);
    }

    private void dialAsNeeded() {
        for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
            Waiter waiter = each.next();
            if (!waiter.isWanted()) {
                settle(waiter);
                each.remove();
            }
        }
        int most = multiplexed ? MAX_HTTP2_CONNECTIONS : limits.connections().maxRequestsPerEndpoint();
        while (open.size() + dialling < most
                && (multiplexed ? dialling == 0 && !waiters.isEmpty() : dialling < waiters.size())) {
            Slots slots = nextToDialFor();
            if (slots != null && !slots.take()) {
                if (open.isEmpty() && dialling == 0) {
                    next().failed(DialFailure.MAX_CONNECTIONS);
                    continue;
                }
                return;
            }
            dialling++;
            dialer.dial(target, protocol, new Dialer.Dialled() {
                @Override
                public void connected(Channel channel, Alpn taken) {
                    dialling--;
                    multiplexed = taken != Alpn.HTTP_1_1;
                    if (slots != null) {
                        channel.closeFuture().addListener(closed -> slots.give());
                    }
                    HttpConnection connection = join(channel);
                    open.add(connection);
                    onRoom(connection);
                    dialAsNeeded();
                }

                @Override
                public void failed(DialFailure failure) {
                    dialling--;
                    if (slots != null) {
                        slots.give();
                    }
                    fail(failure);
                }
            });
        }
    }

    /** The slots of the first waiter that no dial is under way for. */
    private @Nullable Slots nextToDialFor() {
        int served = multiplexed ? 0 : dialling;
        for (Waiter waiter : waiters) {
            if (served-- == 0) {
                return waiter.connections();
            }
        }
        return null;
    }

    private HttpConnection join(Channel channel) {
        boolean secure = target.identity().isPresent();
        if (multiplexed) {
            Http2ClientConnection connection = new Http2ClientConnection(this, limits, meters::limitHit);
            channel.pipeline().addLast("http2", connection);
            return connection;
        }
        Http1ClientConnection connection = new Http1ClientConnection(this, limits, secure);
        channel.pipeline().addLast("http1", connection);
        return connection;
    }

    /** A failed dial fails the request that waited longest; over HTTP/2 all, for one connection was to serve them. */
    private void fail(DialFailure failure) {
        int failing = multiplexed && open.isEmpty() ? waiters.size() : 1;
        for (int i = 0; i < failing && !waiters.isEmpty(); i++) {
            Waiter waiter = next();
            if (waiter.isWanted()) {
                waiter.failed(failure);
            }
        }
        if (!waiters.isEmpty()) {
            dialAsNeeded();
        }
        if (isEmpty()) {
            whenEmpty.run();
        }
    }
}
