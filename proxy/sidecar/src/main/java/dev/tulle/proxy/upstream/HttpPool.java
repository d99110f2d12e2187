package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.ConnectionOwner;
import dev.tulle.proxy.http.Http1ClientConnection;
import dev.tulle.proxy.http.Http2ClientConnection;
import dev.tulle.proxy.http.HttpConnection;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The connections of one event loop to one target by one protocol.
 *
 * <p>Requests that find no room wait in order; a connection is dialled for them while limits allow. The connection used last is
 * used next, so that surplus ones grow old and close.
 */
final class HttpPool implements ConnectionOwner {
    /** HTTP/2 connections to one target; each carries many streams. */
    private static final int MAX_HTTP2_CONNECTIONS = 16;

    private final Target target;
    private final boolean http2;
    private final Dialer dialer;
    private final Limits limits;
    private final Meters meters;
    private final Runnable whenEmpty;
    private final Deque<HttpConnection> withRoom = new ArrayDeque<>();
    private final Set<HttpConnection> open = new LinkedHashSet<>();
    private final Deque<Waiter> waiters = new ArrayDeque<>();
    private int dialling;

    HttpPool(Target target, boolean http2, Dialer dialer, Limits limits, Meters meters, Runnable whenEmpty) {
        this.target = target;
        this.http2 = http2;
        this.dialer = dialer;
        this.limits = limits;
        this.meters = meters;
        this.whenEmpty = whenEmpty;
    }

    /** A request that needs a connection; one of both is called once, unless it no longer {@link #isWanted}. */
    interface Waiter {
        boolean isWanted();

        /** Whether it may wait, where there is no connection for it at once. */
        boolean mayWait();

        /** Open a stream on it inside this call. */
        void ready(HttpConnection connection);

        void failed(DialFailure failure);
    }

    /** @param fresh whether only a connection that has not been used may do */
    void acquire(Waiter waiter, boolean fresh) {
        while (!fresh && !withRoom.isEmpty()) {
            HttpConnection connection = withRoom.getLast();
            if (connection.hasRoom()) {
                waiter.ready(connection);
                forgetIfFull(connection);
                return;
            }
            withRoom.removeLast();
        }
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
        dialAsNeeded();
    }

    boolean isEmpty() {
        return open.isEmpty() && waiters.isEmpty() && dialling == 0;
    }

    void drain() {
        new ArrayList<>(open).forEach(HttpConnection::drain);
    }

    /** Gives up those that have waited too long. */
    void expire(Iterable<Waiter> late) {
        for (Waiter waiter : late) {
            if (waiters.remove(waiter)) {
                meters.limitHit("queue_timeout");
                waiter.failed(DialFailure.QUEUE_TIMEOUT);
            }
        }
    }

    @Override
    public void onRoom(HttpConnection connection) {
        serve(connection);
        if (connection.hasRoom() && open.contains(connection) && !withRoom.contains(connection)) {
            if (!http2 && withRoom.size() >= limits.connections().maxIdlePerEndpoint()) {
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
            Waiter waiter = waiters.remove();
            if (waiter.isWanted()) {
                waiter.ready(connection);
            }
        }
    }

    private void forgetIfFull(HttpConnection connection) {
        if (!connection.hasRoom()) {
            withRoom.remove(connection);
        }
    }

    private void dialAsNeeded() {
        for (Iterator<Waiter> each = waiters.iterator(); each.hasNext(); ) {
            if (!each.next().isWanted()) {
                each.remove();
            }
        }
        int most = http2 ? MAX_HTTP2_CONNECTIONS : limits.connections().maxRequestsPerEndpoint();
        while (open.size() + dialling < most
                && (http2 ? dialling == 0 && !waiters.isEmpty() : dialling < waiters.size())) {
            dialling++;
            dialer.dial(target, http2 ? Alpn.H2 : Alpn.HTTP_1_1, new Dialer.Dialled() {
                @Override
                public void connected(Channel channel) {
                    dialling--;
                    HttpConnection connection = join(channel);
                    open.add(connection);
                    onRoom(connection);
                    dialAsNeeded();
                }

                @Override
                public void failed(DialFailure failure) {
                    dialling--;
                    fail(failure);
                }
            });
        }
    }

    private HttpConnection join(Channel channel) {
        boolean secure = target.identity().isPresent();
        if (http2) {
            Http2ClientConnection connection = new Http2ClientConnection(this, limits);
            channel.pipeline().addLast("http2", connection);
            return connection;
        }
        Http1ClientConnection connection = new Http1ClientConnection(this, limits, secure);
        channel.pipeline().addLast("http1", connection);
        return connection;
    }

    /** A failed dial fails the request that waited longest; over HTTP/2 all, for one connection was to serve them. */
    private void fail(DialFailure failure) {
        int failing = http2 && open.isEmpty() ? waiters.size() : 1;
        for (int i = 0; i < failing && !waiters.isEmpty(); i++) {
            Waiter waiter = waiters.remove();
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
