package dev.tulle.proxy.redirect;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Which families of addresses this network namespace has.
 *
 * @param ipv4 an address of IPv4 beside loopback, by which others can be reached
 * @param ipv6 one of IPv6 beyond the link
 */
public record Reach(boolean ipv4, boolean ipv6) {
    /** Looks at the interfaces; where they cannot be listed there is nothing to reach. */
    public static Reach ofThisMachine() {
        return of(addresses());
    }

    /** The addresses of this network namespace beyond loopback, without zones. */
    public static Set<InetAddress> addresses() {
        Set<InetAddress> addresses = new LinkedHashSet<>();
        try {
            for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                for (InetAddress address : Collections.list(each.getInetAddresses())) {
                    if (!address.isLoopbackAddress()) {
                        addresses.add(InetAddress.getByAddress(address.getAddress()));
                    }
                }
            }
        } catch (SocketException | UnknownHostException e) {
            return Set.of();
        }
        return addresses;
    }

    static Reach of(Collection<InetAddress> addresses) {
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
