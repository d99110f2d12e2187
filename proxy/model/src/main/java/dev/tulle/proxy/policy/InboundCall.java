package dev.tulle.proxy.policy;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.match.HttpCall;
import java.util.Optional;

/**
 * What is asked for.
 *
 * @param port the inbound port as callers and rules know it (the container port)
 * @param http the request; absent for an opaque connection
 */
public record InboundCall(int port, Optional<HttpCall> http) {
    public InboundCall {
        requireNonNull(http, "http");
    }

    /** One HTTP request. */
    public static InboundCall request(int port, HttpCall call) {
        return new InboundCall(port, Optional.of(call));
    }

    /** One opaque connection. */
    public static InboundCall connection(int port) {
        return new InboundCall(port, Optional.empty());
    }
}
