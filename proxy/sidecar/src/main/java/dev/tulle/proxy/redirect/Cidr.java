package dev.tulle.proxy.redirect;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/**
 * A range of addresses.
 *
 * @param family of the addresses
 * @param text in CIDR notation, with the bits
 */
record Cidr(Family family, String text) {
    private static final Pattern NUMBER = Pattern.compile("\\d{1,3}");
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

    /** Reads {@code 10.0.0.0/8}, {@code fd00::/8} or one address; throws IllegalArgumentException that quotes the text. */
    static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        String bits = slash < 0 ? "" : text.substring(slash + 1);
        Family family;
        try {
            // Neither form is ever looked up by name.
            if (IPV4.matcher(address).matches()) {
                InetAddress.getByName(address);
                family = Family.IPV4;
            } else if (IPV6.matcher(address).matches() && InetAddress.getByName(address) instanceof Inet6Address) {
                family = Family.IPV6;
            } else {
                throw wrong(text);
            }
        } catch (UnknownHostException e) {
            throw wrong(text);
        }
        int most = family == Family.IPV4 ? 32 : 128;
        if (slash < 0) {
            return new Cidr(family, address + "/" + most);
        }
        if (!NUMBER.matcher(bits).matches() || Integer.parseInt(bits) > most) {
            throw wrong(text);
        }
        return new Cidr(family, address + "/" + Integer.parseInt(bits));
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException(
                "not a range of addresses like 10.0.0.0/8 or fd00::/8: '%s'".formatted(text));
    }
}
