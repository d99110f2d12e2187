package dev.tulle.proxy.bootstrap;

import java.time.Duration;

/**
 * Every bound of the proxy with its default: nothing that another side can make grow is without one.
 *
 * <p>Where a limit bites it is counted as {@code tulle_limit_hits_total{limit="<name>"}}, with the name of the component in
 * snake case (for example {@code max_connections}).
 *
 * @param http message heads and bodies of HTTP/1.1, and what of them holds for HTTP/2 too
 * @param http2 frames
 * @param tls handshakes
 * @param connections sockets, pools and time
 * @param calls what resilience remembers
 * @param control the stream to the controller, metrics and the log
 */
public record Limits(Http http, Http2 http2, Tls tls, Connections connections, Calls calls, Control control) {

    /** The defaults, used by every proxy that is not told otherwise. */
    public static Limits defaults() {
        return new Limits(
                new Http(8 * 1024, 100, 8 * 1024, 32 * 1024, 64, 32, 8 * 1024),
                new Http2(
                        100,
                        64 * 1024,
                        5 * 1024,
                        1024 * 1024,
                        32 * 1024 * 1024,
                        200,
                        Duration.ofSeconds(30),
                        8,
                        10,
                        1000,
                        Duration.ofSeconds(10)),
                new Tls(16 * 1024, Duration.ofSeconds(10), 512, 256, Duration.ofMinutes(10)),
                new Connections(
                        10_000,
                        2_000,
                        1024,
                        1024,
                        64,
                        64 * 1024,
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(30)),
                new Calls(4096),
                new Control(
                        1000,
                        Duration.ofMinutes(10),
                        Duration.ofSeconds(1),
                        4096,
                        4 * 1024 * 1024,
                        256 * 1024,
                        1000,
                        16 * 1024 * 1024,
                        4096));
    }

    /**
     * Message heads.
     *
     * @param maxRequestLineBytes request line or status line; 414 beyond
     * @param maxHeaderFields fields of one head; 431 beyond
     * @param maxHeaderFieldBytes name and value of one field; 431 beyond
     * @param maxHeaderBytes one head without its first line; 431 beyond
     * @param maxChunkLineBytes chunk size with its extensions
     * @param maxTrailerFields trailers of one message
     * @param maxTrailerBytes trailers of one message
     */
    public record Http(
            int maxRequestLineBytes,
            int maxHeaderFields,
            int maxHeaderFieldBytes,
            int maxHeaderBytes,
            int maxChunkLineBytes,
            int maxTrailerFields,
            int maxTrailerBytes) {}

    /**
     * HTTP/2 frames; beyond: GOAWAY with ENHANCE_YOUR_CALM.
     *
     * @param maxConcurrentStreams streams a peer may have open on a connection to us, and we on one to a peer
     * @param initialStreamWindowBytes window of a stream; with many streams at once new ones begin with less, and get this much
     *     only once they are seen to be read
     * @param crowdedStreamWindowBytes what a stream begins with when there are very many
     * @param connectionWindowBytes window of a connection, and the most it holds of what came and was not passed on; beyond, the
     *     stream that holds most is reset
     * @param maxHeldBytes of all connections of one loop that came and were not passed on; beyond, streams that hold most are reset
     * @param maxResets RST_STREAM sent and received in {@code resetWindow}
     * @param resetWindow over which resets are counted
     * @param maxContinuationFrames of one header block
     * @param maxEmptyDataFrames in a row without END_STREAM
     * @param maxControlFrames SETTINGS, PING, PRIORITY and unknown frames in {@code controlWindow}
     * @param controlWindow over which control frames are counted
     */
    public record Http2(
            int maxConcurrentStreams,
            int initialStreamWindowBytes,
            int crowdedStreamWindowBytes,
            int connectionWindowBytes,
            int maxHeldBytes,
            int maxResets,
            Duration resetWindow,
            int maxContinuationFrames,
            int maxEmptyDataFrames,
            int maxControlFrames,
            Duration controlWindow) {}

    /**
     * Handshakes.
     *
     * @param maxClientHelloBytes a longer one is not ours
     * @param handshakeTimeout from the first byte to the end
     * @param maxPendingHandshakes at one time, all listeners together
     * @param maxSessions kept for being resumed, per protocol
     * @param sessionTimeout after which a session is not resumed any more
     */
    public record Tls(
            int maxClientHelloBytes,
            Duration handshakeTimeout,
            int maxPendingHandshakes,
            int maxSessions,
            Duration sessionTimeout) {}

    /**
     * Sockets, pools and time.
     *
     * @param maxConnections accepted and open, all listeners together
     * @param maxConnectionsPerSource accepted from one address, inbound: outwards there is one application alone
     * @param maxPendingRequests waiting for an upstream connection, per destination and loop
     * @param maxRequestsPerEndpoint in flight, per endpoint and loop
     * @param maxIdlePerEndpoint pooled idle upstream connections, per endpoint and loop
     * @param bufferPerStreamBytes held back for a slow reader, per stream or HTTP/1.1 connection
     * @param connectTimeout to dial an endpoint: a lost SYN is sent again within it, and it ends before a request waits too long
     * @param detectTimeout to tell the protocol of a connection
     * @param firstRequestTimeout from accept or handshake to the first request
     * @param headerTimeout from the first to the last byte of a head
     * @param idleTimeout of a connection or stream on which nothing moves
     * @param poolIdleTimeout of a pooled upstream connection without a request
     * @param queueTimeoutInbound for an upstream connection, inbound
     * @param queueTimeoutOutbound for an upstream connection, outbound
     * @param drainTimeout for what is in flight when the proxy ends
     */
    public record Connections(
            int maxConnections,
            int maxConnectionsPerSource,
            int maxPendingRequests,
            int maxRequestsPerEndpoint,
            int maxIdlePerEndpoint,
            int bufferPerStreamBytes,
            Duration connectTimeout,
            Duration detectTimeout,
            Duration firstRequestTimeout,
            Duration headerTimeout,
            Duration idleTimeout,
            Duration poolIdleTimeout,
            Duration queueTimeoutInbound,
            Duration queueTimeoutOutbound,
            Duration drainTimeout) {}

    /**
     * What resilience remembers.
     *
     * @param maxCallers callers of one port whose rate is counted by itself; those beyond share one bucket
     */
    public record Calls(int maxCallers) {}

    /**
     * The proxy's own affairs.
     *
     * @param maxDestinations watched at one time; more are refused as unknown
     * @param destinationIdle after which a destination nobody used is no longer watched
     * @param destinationWait for the first answer about a destination
     * @param maxWaiting connections waiting for such an answer, all together
     * @param maxLineToProxyBytes of the stream
     * @param maxLineToControllerBytes of the stream
     * @param maxSeries distinct label sets a metric may have; more are counted as {@code other}
     * @param maxConfigFileBytes of {@code --config}
     * @param maxLogLineChars longer ones are cut
     */
    public record Control(
            int maxDestinations,
            Duration destinationIdle,
            Duration destinationWait,
            int maxWaiting,
            int maxLineToProxyBytes,
            int maxLineToControllerBytes,
            int maxSeries,
            int maxConfigFileBytes,
            int maxLogLineChars) {}
}
