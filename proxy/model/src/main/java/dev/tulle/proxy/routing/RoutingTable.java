package dev.tulle.proxy.routing;

import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.policy.Authorizer;
import java.util.List;
import java.util.Optional;

/** A whole config, compiled: what one request reads from its begin to its end. Immutable, rebuilt whole. */
public final class RoutingTable {
    private final ProxyConfig config;

    private RoutingTable(ProxyConfig config) {
        this.config = config;
    }

    /** Compiles a config; a regex that is no good matches nothing and is listed in {@link #problems()}. */
    public static RoutingTable of(ProxyConfig config) {
        return new RoutingTable(config);
    }

    /** What this was compiled from. */
    public ProxyConfig config() {
        return config;
    }

    /** A destination the proxy holds. */
    public Optional<DestinationTable> destination(DestinationKey key) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** Who may call. */
    public Authorizer authorizer() {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The inbound port of a number, as callers and rules know it. */
    public Optional<InboundPort> inboundPort(int port) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** What of the config cannot be used, one sentence each that names the object and the cure. */
    public List<String> problems() {
        return dev.tulle.proxy.model.Pending.body();
    }
}
