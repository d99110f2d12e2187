package dev.tulle.proxy.routing;

import dev.tulle.proxy.match.HttpCall;
import dev.tulle.proxy.model.Destination;

/** One destination, compiled. */
public final class DestinationTable {
    private final Destination destination;

    DestinationTable(Destination destination) {
        this.destination = destination;
    }

    /** The destination as configured. */
    public Destination destination() {
        return destination;
    }

    /** The first route that matches a request; without clusters when none does or the address is not of the mesh. */
    public RouteTable routeFor(HttpCall call) {
        return dev.tulle.proxy.model.Pending.body();
    }

    /** The first route that takes opaque connections; without clusters when none does or the address is not of the mesh. */
    public RouteTable tcpRoute() {
        return dev.tulle.proxy.model.Pending.body();
    }
}
