package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadConfig.Probe;
import dev.tulle.proxy.model.WorkloadId;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One instance of an application: a {@code Workload} document, which has a proxy, or a pod, which may have one.
 *
 * @param id its name
 * @param owner the Deployment (or its like) it belongs to
 * @param serviceAccount in its own namespace
 * @param labels by which Services select it
 * @param annotations its own settings
 * @param address where other proxies reach its proxy
 * @param ports in the order written
 * @param outbound in the order written
 * @param healthCheck how its proxy tells that the application is well
 * @param pod what only a cluster knows; absent for a {@code Workload} document
 */
public record WorkloadResource(
        WorkloadId id,
        String owner,
        String serviceAccount,
        SortedMap<String, String> labels,
        SortedMap<String, String> annotations,
        String address,
        List<Port> ports,
        List<Outbound> outbound,
        Optional<HealthCheck> healthCheck,
        Optional<Pod> pod) {
    /** One that is no pod. */
    public WorkloadResource(
            WorkloadId id,
            String owner,
            String serviceAccount,
            SortedMap<String, String> labels,
            SortedMap<String, String> annotations,
            String address,
            List<Port> ports,
            List<Outbound> outbound,
            Optional<HealthCheck> healthCheck) {
        this(id, owner, serviceAccount, labels, annotations, address, ports, outbound, healthCheck, Optional.empty());
    }

    public WorkloadResource {
        requireNonNull(id, "id");
        requireNonNull(owner, "owner");
        requireNonNull(serviceAccount, "serviceAccount");
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
        annotations = Collections.unmodifiableSortedMap(new TreeMap<>(annotations));
        requireNonNull(address, "address");
        ports = List.copyOf(ports);
        outbound = List.copyOf(outbound);
        requireNonNull(healthCheck, "healthCheck");
        requireNonNull(pod, "pod");
    }

    /** Label that says in which failure domain it is. */
    public static final String ZONE_LABEL = "topology.kubernetes.io/zone";

    /** Its failure domain, or empty. */
    public String zone() {
        return labels.getOrDefault(ZONE_LABEL, "");
    }

    public ObjectRef ref() {
        return new ObjectRef(pod.isPresent() ? "Pod" : "Workload", id.namespace(), id.name());
    }

    /** Whether a proxy stands before it. */
    public boolean meshed() {
        return pod.map(Pod::meshed).orElse(true);
    }

    /**
     * What a cluster knows of an instance.
     *
     * @param meshed whether a proxy is in the pod, which all its traffic is redirected to
     * @param addresses those that are its own alone, the workload's first; none before it has one, and on its node's network
     * @param serving whether calls may be sent to it
     * @param probes what the kubelet asks its application
     * @param makers what made it, the nearest first: its ReplicaSet, then the Deployment that made this; empty for one made by hand
     * @param node where it runs, or empty
     */
    public record Pod(
            boolean meshed,
            List<String> addresses,
            Serving serving,
            List<Probe> probes,
            List<Maker> makers,
            String node) {
        public Pod {
            addresses = List.copyOf(addresses);
            requireNonNull(serving, "serving");
            probes = List.copyOf(probes);
            makers = List.copyOf(makers);
            requireNonNull(node, "node");
        }

        /** What makes pods; of the pod's namespace. */
        public record Maker(String kind, String name) {
            public Maker {
                requireNonNull(kind, "kind");
                requireNonNull(name, "name");
            }
        }

        /** Whether calls may be sent to a pod. */
        public enum Serving {
            READY,
            /** It was told to end and still answers: when nothing else does. */
            ENDING,
            NOT_READY
        }
    }

    /**
     * One port of its application.
     *
     * @param name or empty
     * @param port what callers and rules know, 1 to 65535
     * @param application where the application listens
     * @param listen the proxy's public port, on the workload's address
     * @param advertise where others reach that port, when a NAT or a port forward stands before it
     * @param protocol what was declared; absent leaves it to the Service
     */
    public record Port(
            String name,
            int port,
            HostPort application,
            int listen,
            Optional<HostPort> advertise,
            Optional<Protocol> protocol) {
        public Port {
            requireNonNull(name, "name");
            requireNonNull(application, "application");
            requireNonNull(advertise, "advertise");
            requireNonNull(protocol, "protocol");
        }
    }

    /**
     * A local port for the application to call a Service by.
     *
     * @param service as written: a name, {@code name.namespace} or a longer form
     * @param port of the Service
     * @param listen where the proxy listens for it
     */
    public record Outbound(String service, int port, HostPort listen) {
        public Outbound {
            requireNonNull(service, "service");
            requireNonNull(listen, "listen");
        }
    }

    /**
     * How to look after the application.
     *
     * @param port name or number of one of its ports
     * @param path for an HTTP GET; empty for a TCP connect
     * @param intervalMillis between looks
     */
    public record HealthCheck(String port, String path, int intervalMillis) {
        public HealthCheck {
            requireNonNull(port, "port");
            requireNonNull(path, "path");
        }
    }
}
