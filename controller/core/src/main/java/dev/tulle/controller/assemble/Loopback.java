package dev.tulle.controller.assemble;

import java.util.Set;

/** Tells addresses that only their own machine can reach. */
final class Loopback {
    private static final Set<String> NAMES = Set.of("localhost", "::1", "0:0:0:0:0:0:0:1");

    private Loopback() {}

    static boolean is(String host) {
        return host.startsWith("127.") || NAMES.contains(host);
    }
}
