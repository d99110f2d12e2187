package dev.tulle.proxy.telemetry;

import dev.tulle.proxy.model.Report;

/** Everything the proxy counts; one for the whole process, safe for use by many threads. */
public final class Meters {

    /**
     * The meter of the traffic with one peer; look it up once a connection (inbound) or once a chosen backend (outbound) and keep it.
     *
     * @param peer identity of the other side as URI; empty for one without identity
     * @param service inbound: empty; outbound: the Service that was called, {@code namespace/name}
     * @param backend inbound: the port as a number; outbound: the cluster that was chosen
     * @param http whether HTTP requests are counted; else connections
     * @param mtls whether it goes over mutual TLS
     * @return one meter for equal arguments; beyond {@code maxSeries} a common one whose peer is {@code other}
     */
    public EdgeMeter edge(
            Report.Direction direction, String peer, String service, String backend, boolean http, boolean mtls) {
        return new EdgeMeter(new EdgeMeter.Key(direction, peer, service, backend, http, mtls));
    }

    /** A connection was accepted by a listener of this direction; pair it with {@link #connectionClosed}. */
    public void connectionOpened(Report.Direction direction) {}

    /** A connection that was counted as opened has ended. */
    public void connectionClosed(Report.Direction direction) {}

    /** Bytes of an ended (or long-living) connection since it was last told; both 0 or more. */
    public void bytes(Report.Direction direction, long received, long sent) {}

    /** A limit of {@code Limits} bit. {@code name} is the component in snake case, from a closed set. */
    public void limitHit(String name) {}

    /** A TLS handshake failed; {@code cause} is a word of a closed set. */
    public void handshakeFailed(Report.Direction direction, String cause) {}
}
