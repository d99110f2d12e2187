package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/** How a proxy names a destination it asks for: a service port it has a listener for, or an original destination address. */
public sealed interface DestinationKey extends Comparable<DestinationKey> {
    /** A port of a Service; text form {@code svc:namespace/name:port}. */
    record ServicePort(String namespace, String service, int port) implements DestinationKey {
        public ServicePort {
            requireNonNull(namespace, "namespace");
            requireNonNull(service, "service");
            if (namespace.isEmpty()
                    || service.isEmpty()
                    || namespace.contains("/")
                    || service.contains("/")
                    || port < 1
                    || port > 65535) {
                throw new IllegalArgumentException("not a service port: %s/%s:%d".formatted(namespace, service, port));
            }
        }

        @Override
        public String toString() {
            return "svc:" + namespace + "/" + service + ":" + port;
        }
    }

    /** An address the application dialled; text form {@code addr:10.0.0.1:80}. */
    record Address(HostPort address) implements DestinationKey {
        public Address {
            requireNonNull(address, "address");
        }

        @Override
        public String toString() {
            return "addr:" + address;
        }
    }

    /** Reads the text form; throws IllegalArgumentException that quotes the text. */
    static DestinationKey parse(String text) {
        if (text.startsWith("addr:")) {
            return new Address(HostPort.parse(text.substring(5)));
        }
        int slash = text.indexOf('/');
        int colon = text.lastIndexOf(':');
        if (!text.startsWith("svc:") || slash < 0 || colon < slash) {
            throw new IllegalArgumentException("not a destination: '%s'".formatted(text));
        }
        try {
            return new ServicePort(
                    text.substring(4, slash),
                    text.substring(slash + 1, colon),
                    Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a destination: '%s'".formatted(text), e);
        }
    }

    @Override
    default int compareTo(DestinationKey other) {
        return toString().compareTo(other.toString());
    }
}
