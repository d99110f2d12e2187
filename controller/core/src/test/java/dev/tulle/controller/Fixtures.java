package dev.tulle.controller;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.ServiceResource.Target;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.smi.HTTPRouteGroup;
import dev.tulle.smi.HTTPRouteGroup.Match;
import dev.tulle.smi.SmiMetadata;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.TCPRoute;
import dev.tulle.smi.TrafficSplit;
import dev.tulle.smi.TrafficTarget;
import dev.tulle.smi.TrafficTarget.Rule;
import dev.tulle.smi.TrafficTarget.RuleKind;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import dev.tulle.smi.UDPRoute;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Objects that read like the YAML they stand for and fill in what a case does not care about; all in namespace {@code shop}. */
public final class Fixtures {
    public static final String NAMESPACE = "shop";

    private Fixtures() {}

    /** Part of a cluster. */
    public interface Part {
        void addTo(Resources.Builder resources);
    }

    public static Resources cluster(Part... parts) {
        Resources.Builder resources = Resources.builder();
        for (Part part : parts) {
            part.addTo(resources);
        }
        return resources.build();
    }

    /** A Service of port 80 that selects the workloads whose label {@code app} is its name. */
    public static ServicePart service(String name) {
        return new ServicePart(name);
    }

    /** A workload of port 80 whose label {@code app}, owner and service account are its name without a number. */
    public static WorkloadPart workload(String name) {
        return new WorkloadPart(name);
    }

    public static SplitPart split(String root) {
        return new SplitPart(root);
    }

    public static TargetPart target(String name) {
        return new TargetPart(name);
    }

    public static Part namespace(String name, Map<String, String> annotations) {
        return resources -> resources.add(new NamespaceResource(name, new TreeMap<>(annotations)));
    }

    public static Part settings(Map<String, String> access) {
        return resources -> resources.settings(new MeshSettings(Optional.empty(), 0, List.of(), new TreeMap<>(access)));
    }

    public static Part routes(String group, Match... matches) {
        return smi(new HTTPRouteGroup(SmiMetadata.of(NAMESPACE, group), List.of(matches)));
    }

    public static Match path(String name, String regex) {
        return new Match(name, Optional.of(regex), List.of(), List.of());
    }

    public static Match header(String name, String header, String regex) {
        return new Match(name, Optional.empty(), List.of(), List.of(new HTTPRouteGroup.Header(header, regex)));
    }

    public static Part tcpRoute(String name, Integer... ports) {
        return smi(new TCPRoute(SmiMetadata.of(NAMESPACE, name), List.of(ports)));
    }

    public static Part udpRoute(String name, Integer... ports) {
        return smi(new UDPRoute(SmiMetadata.of(NAMESPACE, name), List.of(ports)));
    }

    public static Part unready(String workload) {
        return resources -> resources.unready(new WorkloadId(NAMESPACE, workload));
    }

    private static Part smi(SmiObject object) {
        return resources -> resources.add(object);
    }

    public static final class ServicePart implements Part {
        private final String name;
        private final TreeMap<String, String> selector = new TreeMap<>();
        private final List<ServiceResource.Port> ports = new ArrayList<>();
        private final List<String> addresses = new ArrayList<>();

        private ServicePart(String name) {
            this.name = name;
            selector.put("app", name);
        }

        public ServicePart port(int number) {
            return port("", number, new Target.Numbered(number), "");
        }

        public ServicePart port(String portName, int number, Target target, String appProtocol) {
            ports.add(new ServiceResource.Port(portName, number, target, "TCP", appProtocol));
            return this;
        }

        public ServicePart selecting(String app) {
            selector.put("app", app);
            return this;
        }

        public ServicePart withoutSelector() {
            selector.clear();
            return this;
        }

        public ServicePart address(String address) {
            addresses.add(address);
            return this;
        }

        @Override
        public void addTo(Resources.Builder resources) {
            resources.add(new ServiceResource(
                    NAMESPACE,
                    name,
                    selector,
                    addresses,
                    ports.isEmpty()
                            ? List.of(new ServiceResource.Port("", 80, new Target.Numbered(80), "TCP", ""))
                            : ports));
        }
    }

    public static final class WorkloadPart implements Part {
        private final String name;
        private final TreeMap<String, String> labels = new TreeMap<>();
        private final TreeMap<String, String> annotations = new TreeMap<>();
        private final List<WorkloadResource.Port> ports = new ArrayList<>();
        private final List<WorkloadResource.Outbound> outbound = new ArrayList<>();
        private String serviceAccount;
        private String address;
        private boolean portless;
        private Optional<WorkloadResource.Pod> pod = Optional.empty();

        private WorkloadPart(String name) {
            this.name = name;
            String app = name.replaceAll("-\\d+$", "");
            labels.put("app", app);
            serviceAccount = app;
            // Each on a machine of its own, so that ports never collide by accident.
            address = "10.%d.%d.%d"
                    .formatted((name.hashCode() >> 16) & 255, (name.hashCode() >> 8) & 255, name.hashCode() & 255);
        }

        public WorkloadPart app(String app) {
            labels.put("app", app);
            return this;
        }

        public WorkloadPart serviceAccount(String account) {
            serviceAccount = account;
            return this;
        }

        public WorkloadPart address(String at) {
            address = at;
            return this;
        }

        public WorkloadPart annotation(String key, String value) {
            annotations.put(key, value);
            return this;
        }

        /** In the mesh, ready, at the address it has by now. */
        public WorkloadPart pod() {
            pod = Optional.of(new WorkloadResource.Pod(
                    true, List.of(address), WorkloadResource.Pod.Serving.READY, List.of(), List.of(), ""));
            return this;
        }

        public WorkloadPart port(int number) {
            return port("", number, Optional.empty());
        }

        public WorkloadPart port(String portName, int number, Optional<Protocol> protocol) {
            return listening(portName, number, number, protocol);
        }

        public WorkloadPart listening(String portName, int number, int listen, Optional<Protocol> protocol) {
            ports.add(new WorkloadResource.Port(
                    portName, number, new HostPort("127.0.0.1", number), listen, Optional.empty(), protocol));
            return this;
        }

        public WorkloadPart withoutPorts() {
            portless = true;
            return this;
        }

        public WorkloadPart calling(String service, int port, int listen) {
            outbound.add(new WorkloadResource.Outbound(service, port, new HostPort("127.0.0.1", listen)));
            return this;
        }

        @Override
        public void addTo(Resources.Builder resources) {
            resources.add(new WorkloadResource(
                    new WorkloadId(NAMESPACE, name),
                    name,
                    serviceAccount,
                    labels,
                    annotations,
                    address,
                    ports.isEmpty() && !portless
                            ? List.of(new WorkloadResource.Port(
                                    "", 80, new HostPort("127.0.0.1", 80), 80, Optional.empty(), Optional.empty()))
                            : ports,
                    outbound,
                    Optional.empty(),
                    pod));
        }
    }

    public static final class SplitPart implements Part {
        private final String root;
        private final List<TrafficSplit.Backend> backends = new ArrayList<>();
        private final List<String> matches = new ArrayList<>();
        private String name;
        private Optional<Instant> created = Optional.empty();

        private SplitPart(String root) {
            this.root = root;
            this.name = root;
        }

        public SplitPart called(String other) {
            name = other;
            return this;
        }

        public SplitPart created(String time) {
            created = Optional.of(Instant.parse(time));
            return this;
        }

        public SplitPart to(String service, long weight) {
            backends.add(new TrafficSplit.Backend(service, weight));
            return this;
        }

        public SplitPart matching(String group) {
            matches.add(group);
            return this;
        }

        @Override
        public void addTo(Resources.Builder resources) {
            SmiMetadata metadata = new SmiMetadata(name, NAMESPACE, Map.of(), Map.of(), created, Optional.empty());
            resources.add(new TrafficSplit(metadata, root, backends, matches));
        }
    }

    public static final class TargetPart implements Part {
        private final String name;
        private final List<ServiceAccount> sources = new ArrayList<>();
        private final List<Rule> rules = new ArrayList<>();
        private ServiceAccount destination = new ServiceAccount(NAMESPACE, "default");
        private Optional<Integer> port = Optional.empty();
        private String namespace = NAMESPACE;

        private TargetPart(String name) {
            this.name = name;
        }

        public TargetPart in(String other) {
            namespace = other;
            return this;
        }

        public TargetPart on(String serviceAccount) {
            destination = new ServiceAccount(NAMESPACE, serviceAccount);
            return this;
        }

        public TargetPart port(int number) {
            port = Optional.of(number);
            return this;
        }

        public TargetPart from(String... serviceAccounts) {
            for (String account : serviceAccounts) {
                sources.add(new ServiceAccount(NAMESPACE, account));
            }
            return this;
        }

        public TargetPart fromNamespace(String other, String serviceAccount) {
            sources.add(new ServiceAccount(other, serviceAccount));
            return this;
        }

        public TargetPart routes(String group, String... matches) {
            rules.add(new Rule(RuleKind.HTTP_ROUTE_GROUP, group, List.of(matches)));
            return this;
        }

        public TargetPart tcp(String route) {
            rules.add(new Rule(RuleKind.TCP_ROUTE, route, List.of()));
            return this;
        }

        public TargetPart udp(String route) {
            rules.add(new Rule(RuleKind.UDP_ROUTE, route, List.of()));
            return this;
        }

        @Override
        public void addTo(Resources.Builder resources) {
            resources.add(new TrafficTarget(SmiMetadata.of(namespace, name), destination, port, sources, rules));
        }
    }
}
