package dev.tulle.conformance.bench;

import java.nio.file.Path;

/**
 * One of two proxies in a row, and what it needs to know.
 *
 * <p>{@code folder} holds {@code anchor.pem} (the root), {@code chain.pem} and {@code key.pem} (its own certificate, whose subject is
 * {@code CN=leaf}), and {@code both.pem} (the two in one).
 *
 * @param near whether it stands beside the caller: it takes plain text and dials with mutual TLS; else the other way round
 * @param listen port of the loopback address
 * @param next port of the loopback address
 * @param resume whether a new connection between the two may resume the TLS session of an earlier one
 */
record Hop(boolean near, Path folder, Traffic traffic, int listen, int next, boolean resume) {
    String name() {
        return near ? "near" : "far";
    }

    Path file(String name) {
        return folder.resolve(name);
    }
}
