package dev.tulle.controller.assemble;

import dev.tulle.controller.assemble.AccessSettings.Settings;
import dev.tulle.controller.assemble.Selection.Leaf;
import dev.tulle.controller.assemble.Selection.Selected;
import dev.tulle.controller.assemble.Selection.SelectedPort;
import dev.tulle.controller.model.Addresses;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.model.WorkloadAccess;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.InboundPolicy.Access;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig.HealthCheck;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.smi.TrafficTarget.ServiceAccount;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Makes the mesh of what was read; resolves every reference and reports those that lead nowhere. */
public final class MeshAssembler {
    private MeshAssembler() {}

    /** The mesh of these resources, in the trust domain their settings say, else {@code cluster.local}. */
    public static Assembled assemble(Resources resources) {
        return assemble(resources, resources.settings().trustDomain().orElse(MeshSettings.DEFAULT_TRUST_DOMAIN));
    }

    /**
     * The mesh of these resources and everything wrong with them. Pure.
     *
     * @param trustDomain of every identity, whatever the settings say
     */
    public static Assembled assemble(Resources resources, String trustDomain) {
        Problems problems = new Problems(resources.origins());
        AccessSettings settings = new AccessSettings(resources, problems);
        List<WorkloadResource> workloads = Listeners.withoutConflicts(resources.workloads(), problems);
        OpaquePorts opaque = new OpaquePorts(resources, problems);
        Selection selection = Selection.of(resources.services(), resources.slices(), workloads, opaque, problems);
        RouteGroups groups = new RouteGroups(resources.routeGroups(), problems);
        Grants grants = new Grants(resources, groups, accounts(resources), trustDomain, problems);
        SortedMap<ServiceName, ServiceAnnotations.Said> said = new TreeMap<>();
        for (ServiceResource service : resources.services()) {
            said.put(
                    new ServiceName(service.namespace(), service.name()),
                    ServiceAnnotations.read(service.ref(), service.annotations(), problems));
        }
        SortedMap<ServiceName, Service> services = Splits.over(
                services(selection, said, resources.unready(), trustDomain),
                resources.splits(),
                groups,
                settings,
                problems);
        SortedMap<WorkloadId, Workload> assembled = new TreeMap<>();
        Members members = new Members(selection, opaque, trustDomain);
        for (WorkloadResource workload : workloads) {
            if (!workload.meshed()) {
                members.add(workload, inbound(workload, selection, said, new Problems(resources.origins())));
                continue;
            }
            List<InboundPort> inbound = inbound(workload, selection, said, problems);
            members.add(workload, inbound);
            assembled.put(
                    workload.id(),
                    new Workload(
                            workload.id(),
                            workload.owner(),
                            identity(workload, trustDomain),
                            inbound,
                            outbound(workload, services, problems),
                            access(workload, settings.of(workload), grants),
                            healthCheck(workload),
                            !resources.unready().contains(workload.id()),
                            workload.zone(),
                            workload.pod().map(WorkloadResource.Pod::probes).orElse(List.of()),
                            undeclared(opaque.ofWorkload(workload), inbound)));
        }
        problems.addAll(resources.problems());
        Mesh mesh = new Mesh(
                trustDomain,
                resources.settings().networks(),
                services,
                assembled,
                new Addresses(Addresses.byAddress(services.values()), members.byAddress()));
        return new Assembled(mesh, problems.found());
    }

    /** Opaque ports that are not among the declared ones. */
    private static List<Integer> undeclared(SortedSet<Integer> opaque, List<InboundPort> inbound) {
        SortedSet<Integer> more = new TreeSet<>(opaque);
        inbound.forEach(port -> more.remove(port.port()));
        return List.copyOf(more);
    }

    static SpiffeId identity(WorkloadResource workload, String trustDomain) {
        return new SpiffeId(trustDomain, workload.id().namespace(), workload.serviceAccount());
    }

    private static ServiceAccount account(WorkloadResource workload) {
        return new ServiceAccount(workload.id().namespace(), workload.serviceAccount());
    }

    private static Set<ServiceAccount> accounts(Resources resources) {
        Set<ServiceAccount> accounts = new HashSet<>();
        resources.workloads().forEach(workload -> accounts.add(account(workload)));
        resources
                .serviceAccounts()
                .forEach(account -> accounts.add(new ServiceAccount(account.namespace(), account.name())));
        return accounts;
    }

    private static SortedMap<ServiceName, Service> services(
            Selection selection,
            SortedMap<ServiceName, ServiceAnnotations.Said> said,
            SortedSet<WorkloadId> unready,
            String trustDomain) {
        SortedMap<ServiceName, Service> services = new TreeMap<>();
        for (Selected selected : selection.services()) {
            List<ServicePort> ports = selected.ports().stream()
                    .map(port -> servicePort(port, selected.publishNotReady(), unready, trustDomain))
                    .sorted(Comparator.comparingInt(ServicePort::port))
                    .toList();
            ServiceAnnotations.Said its = said.getOrDefault(selected.name(), ServiceAnnotations.Said.NOTHING);
            services.put(
                    selected.name(),
                    new Service(
                            selected.name(),
                            selected.addresses(),
                            ports,
                            List.of(),
                            its.resilience(),
                            its.rateLimit()));
        }
        return services;
    }

    private static ServicePort servicePort(
            SelectedPort selected, boolean publishNotReady, SortedSet<WorkloadId> unready, String trustDomain) {
        List<ServiceEndpoint> endpoints = new ArrayList<>();
        for (Leaf leaf : selected.leaves()) {
            WorkloadResource workload = leaf.workload();
            boolean mayServe = workload.pod()
                    .map(pod -> pod.serving() != WorkloadResource.Pod.Serving.NOT_READY)
                    .orElse(true);
            if (!publishNotReady && !mayServe) {
                continue;
            }
            endpoints.add(new ServiceEndpoint(
                    leaf.port()
                            .advertise()
                            .orElseGet(() ->
                                    new HostPort(workload.address(), leaf.port().listen())),
                    Optional.of(workload.id()),
                    leaf.port().port(),
                    workload.meshed() ? Optional.of(identity(workload, trustDomain)) : Optional.empty(),
                    publishNotReady || !unready.contains(workload.id()),
                    workload.zone()));
        }
        for (Selection.Outside outside : selected.outside()) {
            endpoints.add(new ServiceEndpoint(
                    outside.address(),
                    Optional.empty(),
                    outside.address().port(),
                    Optional.empty(),
                    outside.ready(),
                    outside.zone()));
        }
        return new ServicePort(
                selected.port().port(),
                selected.port().name(),
                selected.protocol(),
                endpoints.stream().sorted().toList(),
                List.of());
    }

    private static List<InboundPort> inbound(
            WorkloadResource workload,
            Selection selection,
            SortedMap<ServiceName, ServiceAnnotations.Said> said,
            Problems problems) {
        List<InboundPort> inbound = new ArrayList<>();
        List<WorkloadResource.Port> ports = selection.ports(workload);
        for (int i = 0; i < ports.size(); i++) {
            WorkloadResource.Port port = ports.get(i);
            inbound.add(new InboundPort(
                    port.name(),
                    port.port(),
                    selection.servicePorts(workload.id(), port),
                    selection.protocol(workload, i, port, problems),
                    workload.pod().isPresent()
                            ? Optional.empty()
                            : Optional.of(new HostPort(workload.address(), port.listen())),
                    port.application(),
                    tightest(selection.serviceNames(workload.id(), port), said)));
        }
        return inbound.stream()
                .sorted(Comparator.comparingInt(InboundPort::port))
                .toList();
    }

    /** Of several Services that lead to one port, the one that lets least through. */
    private static Optional<RateLimit> tightest(
            List<ServiceName> services, SortedMap<ServiceName, ServiceAnnotations.Said> said) {
        return services.stream()
                .flatMap(name -> Stream.ofNullable(said.get(name)))
                .flatMap(its -> its.rateLimit().stream())
                .min(Comparator.comparingDouble((RateLimit limit) -> (double) limit.requests() / limit.perMillis())
                        .thenComparingInt(RateLimit::burst));
    }

    private static List<OutboundListener> outbound(
            WorkloadResource workload, SortedMap<ServiceName, Service> services, Problems problems) {
        List<OutboundListener> outbound = new ArrayList<>();
        ObjectRef ref = workload.ref();
        for (int i = 0; i < workload.outbound().size(); i++) {
            WorkloadResource.Outbound entry = workload.outbound().get(i);
            String field = "spec.outbound[%d].".formatted(i);
            Optional<ServiceName> name =
                    ServiceName.parse(entry.service(), workload.id().namespace());
            if (name.isEmpty()) {
                problems.error(
                        ref,
                        field + "service",
                        "'%s' is not a Service: say name, name.namespace or name.namespace.svc.cluster.local"
                                .formatted(entry.service()),
                        "the entry is left out");
                continue;
            }
            Service service = services.get(name.get());
            if (service == null || service.port(entry.port()).isEmpty()) {
                String outcome = "requests to %s are answered with 503".formatted(entry.listen());
                if (service == null) {
                    problems.missing(
                            Severity.WARNING,
                            ref,
                            field + "service",
                            "there is no Service %s".formatted(name.get()),
                            outcome,
                            new ObjectRef(
                                    "Service",
                                    name.get().namespace(),
                                    name.get().name()));
                } else {
                    problems.warning(
                            ref,
                            field + "port",
                            "Service %s has no port %d".formatted(name.get(), entry.port()),
                            outcome);
                }
            }
            if (!Loopback.is(entry.listen().host())) {
                problems.warning(
                        ref,
                        field + "listen",
                        "%s is not a loopback address: whoever reaches it speaks as %s"
                                .formatted(entry.listen(), workload.id()),
                        "it is opened all the same");
            }
            outbound.add(new OutboundListener(
                    entry.listen(),
                    new DestinationKey.ServicePort(
                            name.get().namespace(), name.get().name(), entry.port())));
        }
        return outbound.stream()
                .sorted(Comparator.comparing(OutboundListener::listen))
                .toList();
    }

    private static WorkloadAccess access(WorkloadResource workload, Settings settings, Grants grants) {
        Optional<List<Grant>> granted =
                grants.of(account(workload), settings.fullPath().value());
        Access access = settings.access().value();
        String accessFrom = settings.access().from();
        if (granted.isPresent() && access == Access.OPEN) {
            access = Access.CLOSED;
            accessFrom = "TrafficTarget %s, which names its service account %s"
                    .formatted(granted.get().getFirst().target(), workload.serviceAccount());
        }
        return new WorkloadAccess(
                new InboundPolicy(
                        access,
                        settings.unmeshed().value(),
                        settings.sameIdentity().value(),
                        granted.orElse(List.of())),
                accessFrom,
                settings.unmeshed().from(),
                settings.sameIdentity().from(),
                settings.fullPath().value(),
                settings.fullPath().from());
    }

    private static Optional<HealthCheck> healthCheck(WorkloadResource workload) {
        return workload.healthCheck()
                .flatMap(check -> workload.ports().stream()
                        .filter(port -> port.name().equals(check.port())
                                || Integer.toString(port.port()).equals(check.port()))
                        .findFirst()
                        .map(port -> new HealthCheck(port.application(), check.path(), check.intervalMillis())));
    }
}
