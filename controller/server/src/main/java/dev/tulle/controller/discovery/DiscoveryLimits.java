package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.ProxyCodec;
import java.time.Duration;

/**
 * Every bound of the discovery server, in one place.
 *
 * @param bodyBytes longest body of an enrolment or renewal
 * @param lineBytes longest message of a proxy
 * @param watches most destinations one stream may watch
 * @param unacked most messages on their way to one proxy without an answer
 * @param streamsPerConnection HTTP/2 streams a connection may have open at once
 * @param connections most connections, authenticated or not
 * @param enrolmentsPerMinute certificates one workload may be given in a minute
 * @param hello how long a stream may take to say hello, and a request to send its body
 * @param silence how long a stream may say nothing; proxies report every five seconds
 * @param stall how long a proxy may leave waiting messages unread
 * @param idle how long a connection may be without a byte
 */
public record DiscoveryLimits(
        int bodyBytes,
        int lineBytes,
        int watches,
        int unacked,
        int streamsPerConnection,
        int connections,
        int enrolmentsPerMinute,
        Duration hello,
        Duration silence,
        Duration stall,
        Duration idle) {
    public static final DiscoveryLimits DEFAULTS = new DiscoveryLimits(
            32 << 10,
            ProxyCodec.MAX_TO_CONTROLLER_BYTES,
            4096,
            16_384,
            16,
            20_000,
            10,
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60));
}
