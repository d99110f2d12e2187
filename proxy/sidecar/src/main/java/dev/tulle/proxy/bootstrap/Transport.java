package dev.tulle.proxy.bootstrap;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.Socket;

/**
 * The sockets of the platform: epoll on Linux, the JDK's elsewhere.
 *
 * @param name for the log
 * @param ioHandlers makes the core of each event loop
 * @param client class of channels that dial
 * @param server class of channels that accept
 */
public record Transport(
        String name,
        IoHandlerFactory ioHandlers,
        Class<? extends SocketChannel> client,
        Class<? extends ServerSocketChannel> server) {

    /** The address that stands for all: of both families, or of IPv4 where the machine has no other. */
    public String anyAddress() {
        return name.equals("epoll") && !Socket.isIPv6Preferred() ? "0.0.0.0" : "::";
    }

    /** The best one that works here. */
    public static Transport best() {
        return Epoll.isAvailable()
                ? new Transport(
                        "epoll", HalfCloseEpoll.newFactory(), EpollSocketChannel.class, EpollServerSocketChannel.class)
                : new Transport("nio", NioIoHandler.newFactory(), NioSocketChannel.class, NioServerSocketChannel.class);
    }
}
