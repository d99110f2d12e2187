package dev.tulle.proxy.upstream;

import dev.tulle.proxy.model.HostPort;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.RawUnixChannelOption;
import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Where a redirected connection was going before the system's nat rules turned it to us. Source: Linux,
 * {@code netfilter_ipv4.h} and {@code ip6_tables.h}, socket option SO_ORIGINAL_DST.
 */
public final class OriginalDestination {
    private static final int SOL_IP = 0;
    private static final int SOL_IPV6 = 41;
    private static final int SO_ORIGINAL_DST = 80;
    private static final int SOCKADDR_IN = 16;
    private static final int SOCKADDR_IN6 = 28;
    private static final RawUnixChannelOption IPV4 =
            new RawUnixChannelOption("SO_ORIGINAL_DST", SOL_IP, SO_ORIGINAL_DST, SOCKADDR_IN);
    private static final RawUnixChannelOption IPV6 =
            new RawUnixChannelOption("IP6T_SO_ORIGINAL_DST", SOL_IPV6, SO_ORIGINAL_DST, SOCKADDR_IN6);

    private OriginalDestination() {}

    /** The address that was dialled; empty when the connection was not redirected, or the transport cannot tell. */
    public static Optional<HostPort> of(Channel channel) {
        if (!(channel instanceof EpollSocketChannel) || !(channel.localAddress() instanceof InetSocketAddress local)) {
            return Optional.empty();
        }
        boolean ipv6 = local.getAddress() instanceof Inet6Address;
        // A dual-stack listener shows IPv4 connections with IPv4 addresses, so the address tells which table to ask.
        Optional<HostPort> found = read(channel, ipv6 ? IPV6 : IPV4);
        return found.filter(address -> !(address.port() == local.getPort()
                && address.host().equals(NetUtil.toAddressString(local.getAddress()))));
    }

    private static Optional<HostPort> read(Channel channel, RawUnixChannelOption option) {
        try {
            ByteBuffer bytes = channel.config().getOption(option);
            return bytes == null ? Optional.empty() : parse(bytes);
        } catch (ChannelException e) {
            // ENOENT: no entry of this connection in the table of redirected ones.
            return Optional.empty();
        }
    }

    /** Reads a {@code sockaddr_in} or {@code sockaddr_in6}; the family is in native order, the port in network order. */
    static Optional<HostPort> parse(ByteBuffer bytes) {
        byte[] raw = new byte[bytes.remaining()];
        bytes.duplicate().get(raw);
        if (raw.length < SOCKADDR_IN) {
            return Optional.empty();
        }
        int port = ((raw[2] & 0xff) << 8) | (raw[3] & 0xff);
        byte[] address = raw.length >= SOCKADDR_IN6 ? Arrays.copyOfRange(raw, 8, 24) : Arrays.copyOfRange(raw, 4, 8);
        return port == 0 ? Optional.empty() : Optional.of(new HostPort(NetUtil.bytesToIpAddress(address), port));
    }
}
