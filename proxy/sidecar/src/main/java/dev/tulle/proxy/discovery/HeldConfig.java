package dev.tulle.proxy.discovery;

import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the messages of the stream have added up to. Immutable.
 *
 * @param version of the newest message in it
 * @param workload absent before the first
 * @param destinations by key
 * @param trust absent before the first
 */
record HeldConfig(
        long version,
        Optional<WorkloadConfig> workload,
        Map<DestinationKey, Destination> destinations,
        Optional<TrustBundle> trust) {
    HeldConfig {
        destinations = Map.copyOf(destinations);
    }

    static HeldConfig nothing() {
        return new HeldConfig(0, Optional.empty(), Map.of(), Optional.empty());
    }

    /** This and one message more. */
    HeldConfig with(ToProxy message) {
        long newest = Math.max(version, message.version());
        return switch (message) {
            case ToProxy.Workload(long v, WorkloadConfig config) ->
                new HeldConfig(newest, Optional.of(config), destinations, trust);
            case ToProxy.Trust(long v, TrustBundle bundle) ->
                new HeldConfig(newest, workload, destinations, Optional.of(bundle));
            case ToProxy.Watched(long v, Destination destination) -> {
                Map<DestinationKey, Destination> more = new TreeMap<>(destinations);
                more.put(destination.key(), destination);
                yield new HeldConfig(newest, workload, more, trust);
            }
        };
    }

    /** This without the destinations that are no longer watched. */
    HeldConfig only(Collection<DestinationKey> watched) {
        Map<DestinationKey, Destination> kept = new TreeMap<>(destinations);
        kept.keySet().retainAll(watched);
        return new HeldConfig(version, workload, kept, trust);
    }

    /** The whole config; empty until workload and trust are both there. */
    Optional<ProxyConfig> config() {
        return workload.flatMap(
                own -> trust.map(bundle -> new ProxyConfig(version, own, List.copyOf(destinations.values()), bundle)));
    }
}
