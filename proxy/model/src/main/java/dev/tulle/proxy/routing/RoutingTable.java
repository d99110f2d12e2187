package dev.tulle.proxy.routing;

import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.policy.Authorizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A whole config, compiled: what one request reads from its begin to its end.
 *
 * <p>Immutable, rebuilt whole, safe for all threads.
 */
public final class RoutingTable {
    private final ProxyConfig config;
    private final Map<DestinationKey, DestinationTable> destinations;
    private final Authorizer authorizer;
    private final Map<Integer, InboundPort> inboundPorts;
    private final Map<Integer, Probes> probes;
    private final List<String> problems;
    private final Edition edition = new Edition();

    /** Tells one table from another, for those who keep what they picked from it but not the table itself. */
    public static final class Edition {
        private Edition() {}
    }

    private RoutingTable(
            ProxyConfig config,
            Map<DestinationKey, DestinationTable> destinations,
            Authorizer authorizer,
            Map<Integer, InboundPort> inboundPorts,
            Map<Integer, Probes> probes,
            List<String> problems) {
        this.config = config;
        this.destinations = Map.copyOf(destinations);
        this.authorizer = authorizer;
        this.inboundPorts = Map.copyOf(inboundPorts);
        this.probes = Map.copyOf(probes);
        this.problems = List.copyOf(problems);
    }

    /** Compiles a config; a regex that is no good matches nothing and is listed in {@link #problems()}. */
    public static RoutingTable of(ProxyConfig config) {
        return of(config, Authorizer.of(config.workload()), Map.of());
    }

    /**
     * As {@link #of(ProxyConfig)}, with the authorizer and the destination tables of another table where what they were compiled
     * from is equal: the same objects, so that what is kept beside them (the state of a weighted choice) stays valid.
     */
    public static RoutingTable of(ProxyConfig config, RoutingTable previous) {
        boolean sameWorkload = config.workload().equals(previous.config.workload());
        return of(config, sameWorkload ? previous.authorizer : Authorizer.of(config.workload()), previous.destinations);
    }

    private static RoutingTable of(
            ProxyConfig config, Authorizer authorizer, Map<DestinationKey, DestinationTable> known) {
        List<String> problems = new ArrayList<>(authorizer.problems());
        Map<DestinationKey, DestinationTable> destinations = new HashMap<>();
        for (Destination destination : config.destinations()) {
            DestinationTable table = known.get(destination.key());
            if (table == null || !table.destination().equals(destination)) {
                table = DestinationTable.of(destination);
            }
            destinations.put(destination.key(), table);
            problems.addAll(table.problems());
        }
        Map<Integer, InboundPort> inboundPorts = new HashMap<>();
        for (InboundPort port : config.workload().inbound()) {
            if (inboundPorts.putIfAbsent(port.port(), port) != null) {
                problems.add("%s: inbound port %d is there twice, the first counts"
                        .formatted(config.workload().workload(), port.port()));
            }
        }
        Map<Integer, Probes> probes = new HashMap<>();
        config.workload().probes().stream()
                .collect(Collectors.groupingBy(WorkloadConfig.Probe::port))
                .forEach((port, declared) -> probes.put(port, Probes.of(declared, problems::add)));
        return new RoutingTable(config, destinations, authorizer, inboundPorts, probes, problems);
    }

    /** An object of its own for each table. */
    public Edition edition() {
        return edition;
    }

    /** What this was compiled from. */
    public ProxyConfig config() {
        return config;
    }

    /** A destination the proxy holds. */
    public Optional<DestinationTable> destination(DestinationKey key) {
        return Optional.ofNullable(destinations.get(key));
    }

    /** Who may call. */
    public Authorizer authorizer() {
        return authorizer;
    }

    /** The inbound port of a number, as callers and rules know it. */
    public Optional<InboundPort> inboundPort(int port) {
        return Optional.ofNullable(inboundPorts.get(port));
    }

    /** What the platform may ask at a port. */
    public Probes probes(int port) {
        return probes.getOrDefault(port, Probes.NONE);
    }

    /** What of the config cannot be used, one sentence each that names the object and the cure. */
    public List<String> problems() {
        return problems;
    }
}
