package dev.tulle.proxy.redirect;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Collections;
import java.util.List;

/**
 * Which families of addresses this network namespace has.
 *
 * @param ipv4 an address of IPv4 beside loopback, by which others can be reached
 * @param ipv6 one of IPv6 beyond the link
 */
public record Reach(boolean ipv4, boolean ipv6) {
    /** Looks at the interfaces; throws SocketException if they cannot be listed. */
    public static Reach ofThisMachine() throws SocketException {
        List<InetAddress> addresses = Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
                .flatMap(NetworkInterface::inetAddresses)
                .toList();
        return of(addresses);
    }

    static Reach of(List<InetAddress> addresses) {
        boolean ipv4 = false;
        boolean ipv6 = false;
        for (InetAddress address : addresses) {
            boolean far = !address.isLoopbackAddress() && !address.isLinkLocalAddress();
            ipv4 |= far && address instanceof Inet4Address;
            ipv6 |= far && !(address instanceof Inet4Address);
        }
        return new Reach(ipv4, ipv6);
    }

    /** Whether calls by this family can leave the namespace. */
    boolean has(Family family) {
        return family == Family.IPV4 ? ipv4 : ipv6;
    }
}
