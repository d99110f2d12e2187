package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A Service.
 *
 * @param annotations its settings
 * @param selector labels its workloads must have; empty selects nothing
 * @param addresses its cluster addresses; none for a headless one
 * @param publishNotReady whether its workloads are its endpoints before they are ready
 * @param ports in the order written
 */
public record ServiceResource(
        String namespace,
        String name,
        SortedMap<String, String> annotations,
        SortedMap<String, String> selector,
        List<String> addresses,
        boolean publishNotReady,
        List<Port> ports) {
    /** One without annotations. */
    public ServiceResource(
            String namespace,
            String name,
            SortedMap<String, String> selector,
            List<String> addresses,
            List<Port> ports) {
        this(namespace, name, new TreeMap<>(), selector, addresses, false, ports);
    }

    public ServiceResource {
        requireNonNull(namespace, "namespace");
        requireNonNull(name, "name");
        annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
        selector = Collections.unmodifiableSortedMap(new TreeMap<>(selector));
        addresses = List.copyOf(addresses);
        ports = List.copyOf(ports);
    }

    public ObjectRef ref() {
        return new ObjectRef("Service", namespace, name);
    }

    /**
     * One port of it.
     *
     * @param name or empty
     * @param port what callers use, 1 to 65535
     * @param target where it leads at each workload
     * @param transport {@code TCP} as a rule
     * @param appProtocol as written, or empty
     */
    public record Port(String name, int port, Target target, String transport, String appProtocol) {
        public Port {
            requireNonNull(name, "name");
            requireNonNull(target, "target");
            requireNonNull(transport, "transport");
            requireNonNull(appProtocol, "appProtocol");
        }
    }

    /** The port of a workload that a Service port leads to. */
    public sealed interface Target {
        /** By its number. */
        record Numbered(int port) implements Target {
            @Override
            public String toString() {
                return Integer.toString(port);
            }
        }

        /** By its name. */
        record Named(String name) implements Target {
            public Named {
                requireNonNull(name, "name");
            }

            @Override
            public String toString() {
                return name;
            }
        }
    }
}
