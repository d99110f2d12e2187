package dev.tulle.proxy.upstream;

import java.util.Locale;

/** Why there is no connection to a target; a closed list, its wire word is also the {@code x-tulle-reason}. */
public enum DialFailure {
    /** Refused, unreachable or not resolvable. */
    CONNECT_FAILED("the connection was refused or the address is out of reach"),
    /** No answer in time. */
    CONNECT_TIMEOUT("the connection was not answered in time"),
    /** The TLS handshake failed: no common protocol, or one side did not trust the other. */
    HANDSHAKE_FAILED("the TLS handshake failed"),
    /** Its certificate proves another identity than the one expected there. */
    WRONG_IDENTITY("the other side proved another identity than the one expected there"),
    /** This proxy has no certificate yet. */
    NO_CERTIFICATE("this proxy has no certificate yet"),
    /** Too many requests wait already. */
    QUEUE_FULL("too many requests wait for a connection"),
    /** As many requests wait as the service allows. */
    MAX_PENDING("as many requests wait for a connection as the service allows"),
    /** As many connections are open as the service allows, and none of them to this endpoint. */
    MAX_CONNECTIONS("as many connections are open as the service allows"),
    /** Waited too long for a connection that has room. */
    QUEUE_TIMEOUT("no connection became free in time");

    private final String sentence;

    DialFailure(String sentence) {
        this.sentence = sentence;
    }

    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A clause for people. */
    public String sentence() {
        return sentence;
    }

    /** Whether another endpoint may do better. */
    public boolean isWorthAnotherEndpoint() {
        return switch (this) {
            case CONNECT_FAILED, CONNECT_TIMEOUT, HANDSHAKE_FAILED, WRONG_IDENTITY, MAX_CONNECTIONS -> true;
            case NO_CERTIFICATE, QUEUE_FULL, MAX_PENDING, QUEUE_TIMEOUT -> false;
        };
    }
}
