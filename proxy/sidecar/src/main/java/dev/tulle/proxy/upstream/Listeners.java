package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.http.Http1ServerConnection;
import dev.tulle.proxy.http.Http2ServerConnection;
import dev.tulle.proxy.http.RequestHandler;
import dev.tulle.proxy.http.ServerConnection;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Report.Direction;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The listening sockets of one direction and the connections they accepted.
 *
 * <p>Ports come and go with the config without touching each other. Methods are called from one thread at a time; acceptance is on
 * the loops.
 *
 * @param <K> what a listener stands for
 */
public final class Listeners<K> {
    private static final AttributeKey<ServerConnection> CONNECTION =
            AttributeKey.valueOf(Listeners.class, "connection");
    private static final int BACKLOG = 1024;

    private final DataPlane plane;
    private final Direction direction;
    private final Accept<K> accept;
    private final Map<HostPort, Listener> listening = new LinkedHashMap<>();
    private final ChannelGroup accepted = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicInteger count = new AtomicInteger();
    private final Map<InetAddress, Integer> sources = new ConcurrentHashMap<>();
    private volatile boolean draining;

    /** Takes a connection on its own loop; reads are off until it switches them on. */
    public interface Accept<K> {
        void accepted(SocketChannel channel, K key);
    }

    /** One address; the key may change while it listens. */
    private final class Listener {
        private volatile K key;
        private @Nullable Channel channel;

        Listener(K key) {
            this.key = key;
        }

        void close() {
            if (channel != null) {
                channel.close();
            }
        }
    }

    public Listeners(DataPlane plane, Direction direction, Accept<K> accept) {
        this.plane = plane;
        this.direction = direction;
        this.accept = accept;
    }

    /**
     * Opens and closes listeners until exactly these are there.
     *
     * @return what could not be opened, one sentence each; the rest works, and the next call tries again
     */
    public synchronized CompletionStage<List<String>> open(Map<HostPort, K> wanted) {
        if (draining) {
            return CompletableFuture.completedFuture(List.of());
        }
        for (HostPort address : List.copyOf(listening.keySet())) {
            if (!wanted.containsKey(address)) {
                Listener gone = listening.remove(address);
                if (gone != null) {
                    gone.close();
                }
            }
        }
        List<CompletableFuture<String>> binding = new ArrayList<>();
        wanted.forEach((address, key) -> {
            Listener same = listening.get(address);
            if (same != null) {
                same.key = key;
            } else {
                binding.add(bind(address, key));
            }
        });
        return CompletableFuture.allOf(binding.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> binding.stream()
                        .map(CompletableFuture::join)
                        .filter(problem -> !problem.isEmpty())
                        .toList());
    }

    /** Where a listener accepts, with the port the system chose for port 0. */
    public synchronized HostPort boundTo(HostPort address) {
        Listener listener = listening.get(address);
        if (listener == null
                || listener.channel == null
                || !(listener.channel.localAddress() instanceof InetSocketAddress local)) {
            throw new IllegalStateException("nothing listens on %s".formatted(address));
        }
        return new HostPort(local.getAddress().getHostAddress(), local.getPort());
    }

    private CompletableFuture<String> bind(HostPort address, K key) {
        int buffer = plane.limits().connections().bufferPerStreamBytes();
        Listener listener = new Listener(key);
        ChannelFuture binding = new ServerBootstrap()
                .group(plane.group())
                .channel(plane.transport().server())
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(buffer / 2, buffer))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        take(channel, listener.key);
                    }
                })
                .bind(new InetSocketAddress(address.host(), address.port()));
        listener.channel = binding.channel();
        listening.put(address, listener);
        CompletableFuture<String> bound = new CompletableFuture<>();
        binding.addListener(done -> {
            if (done.isSuccess()) {
                bound.complete("");
            } else {
                synchronized (this) {
                    listening.remove(address, listener);
                }
                bound.complete("cannot listen on %s (%s): free the port or choose another"
                        .formatted(address, done.cause().getMessage()));
            }
        });
        return bound;
    }

    /** Counts a new connection and hands it on, unless there are too many. */
    private void take(SocketChannel channel, K key) {
        Limits.Connections limits = plane.limits().connections();
        InetAddress source = channel.remoteAddress() == null
                ? InetAddress.getLoopbackAddress()
                : channel.remoteAddress().getAddress();
        int all = count.incrementAndGet();
        int fromSource = sources.merge(source, 1, Integer::sum);
        plane.meters().connectionOpened(direction);
        accepted.add(channel);
        channel.closeFuture().addListener(closed -> {
            count.decrementAndGet();
            sources.computeIfPresent(source, (address, number) -> number > 1 ? number - 1 : null);
            plane.meters().connectionClosed(direction);
        });
        if (draining) {
            channel.close();
        } else if (all > limits.maxConnections()) {
            plane.meters().limitHit("max_connections");
            channel.close();
        } else if (direction == Direction.INBOUND && fromSource > limits.maxConnectionsPerSource()) {
            plane.meters().limitHit("max_connections_per_source");
            channel.close();
        } else {
            accept.accepted(channel, key);
        }
    }

    /** Serves HTTP on a connection from here on. On its loop. */
    public void serve(Channel channel, boolean http2, RequestHandler requests) {
        if (http2) {
            Http2ServerConnection connection =
                    new Http2ServerConnection(requests, plane.limits(), plane.meters()::limitHit);
            channel.pipeline().addLast("http2", connection);
            drainable(channel, connection);
        } else {
            Http1ServerConnection connection = new Http1ServerConnection(requests, plane.limits());
            channel.pipeline().addLast("http1", connection);
            drainable(channel, connection);
        }
    }

    /** Says how a connection is to be drained; one that never says so is closed at once when a drain begins. On its loop. */
    public void drainable(Channel channel, ServerConnection connection) {
        channel.attr(CONNECTION).set(connection);
        if (draining) {
            connection.drain();
        }
    }

    /**
     * Stops accepting, lets every connection finish what is under way, and closes the rest after {@code atMost}.
     *
     * @return done when all connections are closed
     */
    public synchronized CompletionStage<Void> drain(Duration atMost) {
        draining = true;
        listening.values().forEach(Listener::close);
        listening.clear();
        CompletableFuture<Void> drained = new CompletableFuture<>();
        for (Channel channel : accepted) {
            channel.eventLoop().execute(() -> {
                ServerConnection connection = channel.attr(CONNECTION).get();
                if (connection == null) {
                    channel.close();
                } else {
                    connection.drain();
                }
            });
        }
        accepted.newCloseFuture().addListener(closed -> drained.complete(null));
        plane.group()
                .schedule(
                        () -> {
                            closeAccepted();
                            accepted.newCloseFuture().addListener(closed -> drained.complete(null));
                        },
                        atMost.toMillis(),
                        TimeUnit.MILLISECONDS);
        return drained;
    }

    /** Closes everything now. */
    public synchronized void close() {
        draining = true;
        listening.values().forEach(Listener::close);
        listening.clear();
        closeAccepted();
    }

    /** Closes without waiting for anything. */
    private void closeAccepted() {
        for (Channel channel : accepted) {
            channel.eventLoop().execute(() -> {
                ServerConnection connection = channel.attr(CONNECTION).get();
                if (connection == null) {
                    channel.close();
                } else {
                    connection.close();
                }
            });
        }
    }

    /** Connections that are open. */
    public int open() {
        return count.get();
    }
}
