package dev.tulle.proxy.upstream;

import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.RoutingTable;
import io.netty.util.concurrent.EventExecutor;
import java.util.Optional;
import java.util.function.Consumer;

/** The config in force, as the data plane reads it; any thread. */
public interface Tables {
    /** The table in force; who reads it keeps it to the end of its request. */
    RoutingTable table();

    /**
     * Gives a destination: at once on the calling thread when it is known, else on {@code loop} when it arrives.
     *
     * @param answer called exactly once; empty when nothing arrived in time
     */
    void destination(DestinationKey key, EventExecutor loop, Consumer<Optional<DestinationTable>> answer);

    /** Keeps a destination warm. */
    void used(DestinationKey key);

    /** Calls back, on any thread, after each change. */
    void onChange(Consumer<RoutingTable> listener);
}
