package dev.tulle.conformance.mesh;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.Route;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WeightedCluster;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Two sidecars as processes and many services between them, each with a resilience of its own: {@code web} has a local port for each
 * service, the sidecar of {@code catalog} a public port for each application behind one.
 */
public final class ResilientMesh implements AutoCloseable {
    /** Zone of the calling sidecar. */
    public static final String ZONE = "near";

    private final TestAuthority authority = new TestAuthority("cluster.local");
    private final SpiffeId catalog = authority.identity("shop", "catalog");
    private final List<InboundPort> inbound = new ArrayList<>();
    private final List<OutboundListener> outbound = new ArrayList<>();
    private final List<Destination> destinations = new ArrayList<>();
    private final Map<String, Integer> ports = new LinkedHashMap<>();
    private final List<SidecarPair.Sidecar> sidecars = new ArrayList<>();

    /**
     * An application behind a service.
     *
     * @param zone of its sidecar
     * @param listening whether its sidecar listens at all
     */
    public record Application(int port, String zone, boolean listening) {
        public static Application at(int port) {
            return new Application(port, "", true);
        }

        public Application in(String itsZone) {
            return new Application(port, itsZone, listening);
        }

        /** An endpoint where nobody listens. */
        public static Application gone() {
            return new Application(Program.freePort(), "", false);
        }
    }

    /** A service {@code shop/<name>}; call before {@link #start}. */
    public ResilientMesh service(String name, Protocol protocol, Resilience resilience, Application... applications) {
        return service(name, protocol, resilience, Optional.empty(), applications);
    }

    /** A service whose applications' sidecars limit their callers. */
    public ResilientMesh service(
            String name,
            Protocol protocol,
            Resilience resilience,
            Optional<RateLimit> rateLimit,
            Application... applications) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (Application application : applications) {
            HostPort listen = new HostPort("127.0.0.1", Program.freePort());
            if (application.listening()) {
                inbound.add(new InboundPort(
                        "",
                        8000 + inbound.size(),
                        List.of(80),
                        protocol,
                        Optional.of(listen),
                        new HostPort("127.0.0.1", application.port()),
                        rateLimit));
            }
            endpoints.add(new Endpoint(listen, "shop/catalog-1", Optional.of(catalog), application.zone()));
        }
        DestinationKey key = new DestinationKey.ServicePort("shop", name, 80);
        destinations.add(new Destination.Service(
                key,
                "shop/" + name,
                protocol,
                List.of(new Route("", Optional.empty(), List.of(new WeightedCluster("shop/" + name, 1)))),
                List.of(new Cluster("shop/" + name, endpoints)),
                resilience));
        int port = Program.freePort();
        ports.put(name, port);
        outbound.add(new OutboundListener(new HostPort("127.0.0.1", port), key));
        return this;
    }

    /** Starts both sidecars and waits until they are ready. */
    public ResilientMesh start(Path folder) {
        sidecars.add(SidecarPair.start(
                folder,
                "catalog",
                config(new WorkloadId("shop", "catalog-1"), catalog, inbound, List.of(), "", List.of()),
                authority.leaf(catalog)));
        SpiffeId web = authority.identity("shop", "web");
        sidecars.add(SidecarPair.start(
                folder,
                "web",
                config(new WorkloadId("shop", "web-1"), web, List.of(), outbound, ZONE, destinations),
                authority.leaf(web)));
        for (SidecarPair.Sidecar sidecar : sidecars) {
            sidecar.program().awaitThat("ready", SidecarPair.START_BOUND, sidecar::ready);
        }
        return this;
    }

    /** Where the calling application finds a service. */
    public int port(String service) {
        return ports.getOrDefault(service, 0);
    }

    public TestAuthority authority() {
        return authority;
    }

    /** The public port of the first application of the last service. */
    public HostPort lastInbound() {
        return inbound.getLast().listen().orElseThrow();
    }

    /** The sidecar of the called applications. */
    public SidecarPair.Sidecar server() {
        return sidecars.getFirst();
    }

    /** The sidecar of the calling application. */
    public SidecarPair.Sidecar client() {
        return sidecars.getLast();
    }

    /** The value of a sample in the metrics of a sidecar; 0 when it is not there. */
    public static double metric(SidecarPair.Sidecar sidecar, String series) {
        return sidecar.admin("/metrics")
                .lines()
                .filter(line -> line.startsWith(series + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
                .findFirst()
                .orElse(0);
    }

    @Override
    public void close() {
        sidecars.forEach(sidecar -> sidecar.program().close());
    }

    private ProxyConfig config(
            WorkloadId workload,
            SpiffeId identity,
            List<InboundPort> accepts,
            List<OutboundListener> opens,
            String zone,
            List<Destination> knows) {
        return new ProxyConfig(
                1,
                new WorkloadConfig(
                        workload,
                        identity.serviceAccount(),
                        identity,
                        accepts,
                        opens,
                        InboundPolicy.OPEN,
                        List.of(),
                        Optional.empty(),
                        zone),
                knows,
                authority.bundle());
    }
}
