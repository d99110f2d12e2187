package dev.tulle.proxy.upstream;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.identity.Alpn;
import dev.tulle.proxy.identity.TlsContexts;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens connections of one event loop: connect, TLS, and the check that the other side is who it must be, before one byte is sent.
 */
final class Dialer {
    private static final byte[] LOOPBACK_IPV4 = {127, 0, 0, 1};
    private static final byte[] LOOPBACK_IPV6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    private final EventLoop loop;
    private final Transport transport;
    private final TlsContexts tls;
    private final Limits limits;
    private final Meters meters;
    private final Set<InetAddress> own;

    /** @param own addresses of this pod, where its proxy is this one; empty where nothing is redirected */
    Dialer(EventLoop loop, Transport transport, TlsContexts tls, Limits limits, Meters meters, Set<InetAddress> own) {
        this.loop = loop;
        this.transport = transport;
        this.tls = tls;
        this.limits = limits;
        this.meters = meters;
        this.own = own;
    }

    /** How a dial ended; one of both is called, on the loop. */
    interface Dialled {
        /**
         * The connection stands; handlers must be added inside this call.
         *
         * @param protocol the one asked for, or what the endpoint takes in its place
         */
        void connected(Channel channel, Alpn protocol);

        void failed(DialFailure failure);
    }

    void dial(Target target, Alpn alpn, Dialled dialled) {
        Optional<TlsContexts.Current> contexts = tls.current();
        if (target.identity().isPresent() && contexts.isEmpty()) {
            dialled.failed(DialFailure.NO_CERTIFICATE);
            return;
        }
        resolve(target.address(), address -> {
            if (address == null) {
                dialled.failed(DialFailure.CONNECT_FAILED);
            } else {
                connect(address, target, alpn, contexts, dialled);
            }
        });
    }

    private void connect(
            InetSocketAddress address,
            Target target,
            Alpn alpn,
            Optional<TlsContexts.Current> contexts,
            Dialled dialled) {
        int buffer = limits.connections().bufferPerStreamBytes();
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(transport.client())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        limits.connections().connectTimeout().toMillis())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(buffer / 2, buffer))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        if (target.identity().isPresent() && contexts.isPresent()) {
                            SslHandler handler = contexts.get()
                                    .dialling(
                                            alpn,
                                            channel.alloc(),
                                            target.identity().get(),
                                            address);
                            handler.setHandshakeTimeoutMillis(
                                    limits.tls().handshakeTimeout().toMillis());
                            channel.pipeline().addLast("tls", handler);
                        }
                    }
                })
                .connect(address, from(address, target));
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                dialled.failed(
                        done.cause() instanceof ConnectTimeoutException
                                ? DialFailure.CONNECT_TIMEOUT
                                : DialFailure.CONNECT_FAILED);
            } else if (target.identity().isEmpty()) {
                dialled.connected(connecting.channel(), alpn);
            } else {
                verify(connecting.channel(), target, alpn, contexts.orElseThrow(), dialled);
            }
        });
    }

    /**
     * Whence to dial; null for what the system chooses. The own proxy is dialled from loopback: by that the nat rules tell it from the
     * application behind it, which has the same address and port.
     */
    private @Nullable SocketAddress from(InetSocketAddress address, Target target) {
        if (target.identity().isEmpty() || !own.contains(address.getAddress())) {
            return null;
        }
        return socketAddress(address.getAddress() instanceof Inet6Address ? LOOPBACK_IPV6 : LOOPBACK_IPV4, 0);
    }

    private void verify(Channel channel, Target target, Alpn alpn, TlsContexts.Current contexts, Dialled dialled) {
        SslHandler handler = channel.pipeline().get(SslHandler.class);
        handler.handshakeFuture().addListener(done -> {
            DialFailure failure = null;
            Alpn protocol = alpn;
            if (!done.isSuccess()) {
                failure = DialFailure.HANDSHAKE_FAILED;
            } else if (!contexts.callee(handler).equals(target.identity())) {
                failure = DialFailure.WRONG_IDENTITY;
            } else if (alpn == Alpn.TULLE_HTTP1 && Alpn.HTTP_1_1.wireName().equals(handler.applicationProtocol())) {
                protocol = Alpn.HTTP_1_1;
            } else if (!alpn.wireName().equals(handler.applicationProtocol())) {
                failure = DialFailure.HANDSHAKE_FAILED;
            }
            if (failure == null) {
                dialled.connected(channel, protocol);
            } else {
                meters.handshakeFailed(Direction.OUTBOUND, failure.wireName());
                channel.close();
                dialled.failed(failure);
            }
        });
    }

    /** Addresses at once; names on a thread of their own, for a look-up may block. */
    private void resolve(HostPort target, Consumer<@Nullable InetSocketAddress> then) {
        String host = target.host().equals("localhost") ? "127.0.0.1" : target.host();
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        if (literal != null) {
            then.accept(socketAddress(literal, target.port()));
            return;
        }
        Thread.ofVirtual().start(() -> {
            InetSocketAddress found;
            try {
                found = new InetSocketAddress(InetAddress.getByName(host), target.port());
            } catch (UnknownHostException e) {
                found = null;
            }
            InetSocketAddress address = found;
            loop.execute(() -> then.accept(address));
        });
    }

    private static @Nullable InetSocketAddress socketAddress(byte[] literal, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(literal), port);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
