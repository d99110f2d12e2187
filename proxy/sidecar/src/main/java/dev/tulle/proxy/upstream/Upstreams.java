package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The upstream connections of one event loop: pools for HTTP, single ones for opaque bytes. On that loop only.
 *
 * <p>A pool is for one target, protocol, expected identity and generation of our own certificate, so nothing is ever reused across
 * these.
 */
public final class Upstreams {
    /** A change of identity or trust is spread over at most this time, and at least half of it. */
    private static final long CHANGE_MILLIS = 10_000;

    /** Generations whose connections may still be used beside the newest, when changes follow each other. */
    private static final int CHANGING_AT_ONCE = 2;

    /** Bytes of bodies held on one loop so that they can be sent again; what comes beyond is sent once. */
    private static final int MAX_KEPT_BYTES = 8 * 1024 * 1024;

    private final EventLoop loop;
    private final TlsContexts tls;
    private final Limits limits;
    private final Meters meters;
    private final Dialer dialer;
    private final Map<Key, HttpPool> pools = new HashMap<>();
    private int changing;
    private int kept;

    private record Key(Target target, Alpn protocol, long generation) {}

    Upstreams(
            EventLoop loop, Transport transport, TlsContexts tls, Limits limits, Meters meters, Set<InetAddress> own) {
        this.loop = loop;
        this.tls = tls;
        this.limits = limits;
        this.meters = meters;
        this.dialer = new Dialer(loop, transport, tls, limits, meters, own);
    }

    EventLoop loop() {
        return loop;
    }

    Limits limits() {
        return limits;
    }

    /**
     * The pool for a target; not to be kept, for it is forgotten once it is empty.
     *
     * <p>For some seconds after our certificate or the bundle was replaced, one request after the other waits for a connection with the
     * new one, and the rest go over those that are open: as all proxies change at once, all handshakes at once would take longer than
     * a request may wait.
     */
    HttpPool pool(Target target, Alpn protocol) {
        Key key = new Key(target, protocol, target.identity().isEmpty() ? 0 : generation());
        HttpPool pool = pools.get(key);
        if (pool == null) {
            pool = new HttpPool(loop, target, protocol, dialer, limits, meters, () -> pools.remove(key));
            pools.put(key, pool);
        }
        if (changing > 0 && pool.isDialling() && !pool.isReady()) {
            for (long before = key.generation() - 1; before >= key.generation() - CHANGING_AT_ONCE; before--) {
                HttpPool older = pools.get(new Key(target, protocol, before));
                if (older != null && older.isReady()) {
                    return older;
                }
            }
        }
        return pool;
    }

    private long generation() {
        Optional<TlsContexts.Current> current = tls.current();
        return current.isPresent() ? current.get().generation() : 0;
    }

    /** Holds so many bytes more, or less; false, and nothing is held, where that is too many. */
    boolean keep(int bytes) {
        if (bytes > 0 && kept + bytes > MAX_KEPT_BYTES) {
            meters.limitHit("max_kept_bytes");
            return false;
        }
        kept += bytes;
        return true;
    }

    /** Opens a connection for opaque bytes; handlers must be added inside the call of {@code connected}. */
    public void opaque(Target target, Consumer<Channel> connected, Consumer<DialFailure> failed) {
        dialer.dial(target, Alpn.TULLE_TCP, new Dialer.Dialled() {
            @Override
            public void connected(Channel channel, Alpn protocol) {
                connected.accept(channel);
            }

            @Override
            public void failed(DialFailure failure) {
                failed.accept(failure);
            }
        });
    }

    /** Our certificate or the bundle was replaced: what was opened before takes requests for a few seconds more. */
    void replacedBy(long generation) {
        changing++;
        closeGenerationsBefore(generation - CHANGING_AT_ONCE);
        long delay = CHANGE_MILLIS / 2 + ThreadLocalRandom.current().nextLong(CHANGE_MILLIS / 2);
        loop.schedule(
                () -> {
                    changing--;
                    closeGenerationsBefore(generation);
                },
                delay,
                TimeUnit.MILLISECONDS);
    }

    private void closeGenerationsBefore(long generation) {
        for (Key key : new ArrayList<>(pools.keySet())) {
            if (key.generation() != 0 && key.generation() < generation) {
                HttpPool pool = pools.get(key);
                if (pool != null) {
                    pool.drain();
                }
            }
        }
    }
}
