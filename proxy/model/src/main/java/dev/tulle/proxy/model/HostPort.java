package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * An address and a port.
 *
 * @param host IPv4 or IPv6 address without brackets, or a host name; not empty
 * @param port 0 to 65535; 0 only where a listener may choose
 */
public record HostPort(String host, int port) implements Comparable<HostPort> {
    public HostPort {
        requireNonNull(host, "host");
        if (host.isEmpty() || host.contains("[") || host.contains("]")) {
            throw new IllegalArgumentException("not a host: '%s'".formatted(host));
        }
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port of %s is %d, not 0 to 65535".formatted(host, port));
        }
    }

    /** Reads {@code 10.0.0.1:80}, {@code [::1]:80} or {@code host:80}; throws IllegalArgumentException that quotes the text. */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1 || colon == text.length() - 1) {
            throw new IllegalArgumentException("not address:port: '%s'".formatted(text));
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("an IPv6 address needs brackets: '%s'".formatted(text));
        }
        try {
            return new HostPort(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not address:port: '%s'".formatted(text), e);
        }
    }

    @Override
    public int compareTo(HostPort other) {
        return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
