package dev.tulle.proxy.model;

import java.util.Locale;
import java.util.Optional;

/** What a port speaks, as declared by appProtocol, the port's name or an annotation; {@link #DETECT} where nothing is declared. */
public enum Protocol {
    /** Look at the first bytes of both sides. */
    DETECT,
    /** HTTP/1.1 or HTTP/2 with prior knowledge, told apart by the first bytes. */
    HTTP,
    /** HTTP/2 with gRPC in it: denials and our own errors are answered as gRPC statuses. */
    GRPC,
    /** Opaque bytes; never looked at. */
    TCP;

    /** The word on the wire: the name in lower case. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The protocol of a wire word, or empty when this version does not know it. */
    public static Optional<Protocol> ofWireName(String word) {
        for (Protocol protocol : values()) {
            if (protocol.wireName().equals(word)) {
                return Optional.of(protocol);
            }
        }
        return Optional.empty();
    }
}
