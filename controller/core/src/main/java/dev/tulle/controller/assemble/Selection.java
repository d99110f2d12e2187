package dev.tulle.controller.assemble;

import dev.tulle.controller.model.Addresses;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.resources.EndpointSliceResource;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which workload ports stand behind which Service ports. */
final class Selection {
    private final List<Selected> services;
    private final Set<ServiceName> headless;
    private final Map<LeafKey, List<SelectedPort>> leadingTo = new HashMap<>();
    private final Map<LeafKey, List<ServiceName>> names = new HashMap<>();
    private final Map<WorkloadId, SortedMap<Integer, WorkloadResource.Port>> undeclared = new HashMap<>();

    private record LeafKey(WorkloadId workload, int port) {}

    private Selection(List<Selected> services) {
        this.services = services;
        this.headless = services.stream()
                .filter(service -> service.addresses().isEmpty())
                .map(Selected::name)
                .collect(Collectors.toSet());
        for (Selected service : services) {
            for (SelectedPort port : service.ports()) {
                for (Leaf leaf : port.leaves()) {
                    LeafKey leads =
                            new LeafKey(leaf.workload().id(), leaf.port().port());
                    leadingTo.computeIfAbsent(leads, key -> new ArrayList<>()).add(port);
                    names.computeIfAbsent(leads, key -> new ArrayList<>()).add(service.name());
                    if (!leaf.workload().ports().contains(leaf.port())) {
                        undeclared
                                .computeIfAbsent(leaf.workload().id(), id -> new TreeMap<>())
                                .put(leaf.port().port(), leaf.port());
                    }
                }
            }
        }
    }

    /** In the order of the resources. */
    List<Selected> services() {
        return services;
    }

    /** One Service and the ports of it that can be served. */
    record Selected(ServiceName name, List<String> addresses, boolean publishNotReady, List<SelectedPort> ports) {}

    /**
     * One port of it and what it leads to.
     *
     * @param leaves ports of workloads
     * @param outside addresses of no workload
     * @param opaque whether the Service says that its bytes are opaque
     */
    record SelectedPort(ServiceResource.Port port, List<Leaf> leaves, List<Outside> outside, boolean opaque) {
        /** What is spoken: what the Service says, else what all its workloads say. */
        Protocol protocol() {
            return declared().orElseGet(() -> {
                Set<Optional<Protocol>> said =
                        leaves.stream().map(Leaf::declared).collect(Collectors.toSet());
                return said.size() == 1 ? said.iterator().next().orElse(Protocol.DETECT) : Protocol.DETECT;
            });
        }

        private Optional<Protocol> declared() {
            return opaque ? Optional.of(Protocol.TCP) : Protocols.declared(port.appProtocol(), port.name());
        }
    }

    /** An endpoint that is no workload. */
    record Outside(HostPort address, boolean ready, String zone) {}

    /**
     * One port of one workload.
     *
     * @param opaque whether the workload or its namespace says that its bytes are opaque
     */
    record Leaf(WorkloadResource workload, WorkloadResource.Port port, boolean opaque) {
        private Optional<Protocol> declared() {
            return opaque ? Optional.of(Protocol.TCP) : port.protocol().or(() -> Protocols.declared("", port.name()));
        }
    }

    /** What Services choose from. */
    private record Choice(
            Map<Label, List<WorkloadResource>> byLabel,
            Map<String, WorkloadResource> byAddress,
            Map<ServiceName, List<EndpointSliceResource>> slices,
            Set<String> strangers,
            OpaquePorts opaque,
            Problems problems) {}

    /**
     * Resolves the selectors and the slices of Services without one.
     *
     * @param workloads with a proxy or not
     */
    static Selection of(
            List<ServiceResource> services,
            List<EndpointSliceResource> slices,
            List<WorkloadResource> workloads,
            OpaquePorts opaque,
            Problems problems) {
        Map<Label, List<WorkloadResource>> byLabel = new HashMap<>();
        for (WorkloadResource workload : workloads) {
            workload.labels()
                    .forEach((key, value) -> byLabel.computeIfAbsent(
                                    new Label(workload.id().namespace(), key, value), label -> new ArrayList<>())
                            .add(workload));
        }
        Map<String, WorkloadResource> byAddress = new HashMap<>();
        Set<String> strangers = new HashSet<>();
        Set<String> ours = new HashSet<>();
        for (WorkloadResource workload : workloads) {
            workload.pod()
                    .ifPresent(pod ->
                            pod.addresses().forEach(address -> byAddress.put(Addresses.canonical(address), workload)));
            (workload.meshed() ? ours : strangers).add(workload.id().namespace());
        }
        strangers.removeAll(ours);
        Map<ServiceName, List<EndpointSliceResource>> sliced = slices.stream()
                .collect(Collectors.groupingBy(slice -> new ServiceName(slice.namespace(), slice.service())));
        Choice choice = new Choice(byLabel, byAddress, sliced, strangers, opaque, problems);
        return new Selection(
                services.stream().map(service -> select(service, choice)).toList());
    }

    private record Label(String namespace, String key, String value) {}

    /** Workloads that have at least the first label that the Service wants; none when it wants none. */
    private static List<WorkloadResource> candidates(
            ServiceResource service, Map<Label, List<WorkloadResource>> byLabel) {
        if (service.selector().isEmpty()) {
            return List.of();
        }
        var first = service.selector().firstEntry();
        return byLabel.getOrDefault(new Label(service.namespace(), first.getKey(), first.getValue()), List.of());
    }

    private static Selected select(ServiceResource service, Choice choice) {
        List<WorkloadResource> workloads = candidates(service, choice.byLabel()).stream()
                .filter(workload -> workload.labels()
                        .entrySet()
                        .containsAll(service.selector().entrySet()))
                .toList();
        ServiceName name = new ServiceName(service.namespace(), service.name());
        List<EndpointSliceResource> slices =
                service.selector().isEmpty() ? choice.slices().getOrDefault(name, List.of()) : List.of();
        // In a namespace where nothing is meshed nobody asked what we think of its Services.
        Problems problems =
                choice.strangers().contains(service.namespace()) ? new Problems(Map.of()) : choice.problems();
        if (workloads.isEmpty() && slices.isEmpty()) {
            problems.missing(
                    Severity.INFO,
                    service.ref(),
                    "spec.selector",
                    service.selector().isEmpty()
                            ? "selects nothing: it is empty"
                            : "selects nothing: no workload in namespace %s has the labels %s"
                                    .formatted(service.namespace(), labels(service)),
                    "requests to it are answered with 503",
                    new ObjectRef("Endpoints", service.namespace(), service.name()));
        }
        List<SelectedPort> ports = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (int i = 0; i < service.ports().size(); i++) {
            ServiceResource.Port port = service.ports().get(i);
            String field = "spec.ports[%d]".formatted(i);
            if (!port.transport().equals("TCP")) {
                problems.info(
                        service.ref(),
                        field + ".protocol",
                        "%s is not carried by the mesh, only TCP is".formatted(port.transport()),
                        "port %d is left out".formatted(port.port()));
            } else if (!numbers.add(port.port())) {
                problems.error(
                        service.ref(),
                        field + ".port",
                        "%d stands here twice".formatted(port.port()),
                        "the first one holds");
            } else {
                ports.add(
                        slices.isEmpty()
                                ? selectPort(service, port, field, workloads, choice.opaque(), problems)
                                : slicedPort(service, port, slices, choice));
            }
        }
        return new Selected(name, service.addresses(), service.publishNotReady(), ports);
    }

    private static SelectedPort selectPort(
            ServiceResource service,
            ServiceResource.Port port,
            String field,
            List<WorkloadResource> workloads,
            OpaquePorts opaque,
            Problems problems) {
        List<Leaf> leaves = new ArrayList<>();
        for (WorkloadResource workload : workloads) {
            target(workload, port.target())
                    .ifPresent(
                            found -> leaves.add(new Leaf(workload, found, opaque.ofWorkload(workload, found.port()))));
        }
        if (leaves.isEmpty() && !workloads.isEmpty()) {
            problems.warning(
                    service.ref(),
                    field + ".targetPort",
                    "none of the workloads it selects has a port %s".formatted(port.target()),
                    "requests to port %d are answered with 503".formatted(port.port()));
        }
        return new SelectedPort(port, leaves, List.of(), opaque.ofService(service, port));
    }

    /** The port of a workload that is meant; a pod has every port, declared or not. */
    private static Optional<WorkloadResource.Port> target(WorkloadResource workload, ServiceResource.Target target) {
        return workload.ports().stream()
                .filter(candidate -> isTarget(candidate, target))
                .findFirst()
                .or(() -> target instanceof ServiceResource.Target.Numbered(int number)
                                && workload.pod().isPresent()
                        ? Optional.of(undeclared(workload, number))
                        : Optional.empty());
    }

    private static WorkloadResource.Port undeclared(WorkloadResource pod, int number) {
        return new WorkloadResource.Port(
                "", number, new HostPort(pod.address(), number), number, Optional.empty(), Optional.empty());
    }

    /** Endpoints that somebody wrote: by their address they may be pods all the same. */
    private static SelectedPort slicedPort(
            ServiceResource service, ServiceResource.Port port, List<EndpointSliceResource> slices, Choice choice) {
        List<Leaf> leaves = new ArrayList<>();
        List<Outside> outside = new ArrayList<>();
        Set<HostPort> seen = new HashSet<>();
        for (EndpointSliceResource slice : slices) {
            for (EndpointSliceResource.Port written : slice.ports()) {
                if (!written.name().equals(port.name()) || !written.transport().equals("TCP")) {
                    continue;
                }
                for (EndpointSliceResource.Endpoint endpoint : slice.endpoints()) {
                    String address = endpoint.addresses().getFirst();
                    HostPort at = new HostPort(address, written.port());
                    if (!seen.add(at)) {
                        continue;
                    }
                    WorkloadResource pod = choice.byAddress().get(Addresses.canonical(address));
                    if (pod == null) {
                        outside.add(new Outside(at, endpoint.ready(), endpoint.zone()));
                    } else if (endpoint.ready()) {
                        WorkloadResource.Port found = target(pod, new ServiceResource.Target.Numbered(written.port()))
                                .orElseThrow();
                        leaves.add(new Leaf(pod, found, choice.opaque().ofWorkload(pod, found.port())));
                    }
                }
            }
        }
        return new SelectedPort(port, leaves, outside, choice.opaque().ofService(service, port));
    }

    private static boolean isTarget(WorkloadResource.Port port, ServiceResource.Target target) {
        return switch (target) {
            case ServiceResource.Target.Numbered(int number) -> port.port() == number;
            case ServiceResource.Target.Named(String name) -> port.name().equals(name);
        };
    }

    private static String labels(ServiceResource service) {
        return service.selector().entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(", "));
    }

    /** Service ports that lead to a workload port, ordered. */
    List<Integer> servicePorts(WorkloadId workload, WorkloadResource.Port port) {
        Set<Integer> numbers = new TreeSet<>();
        for (SelectedPort selected : leadingTo(workload, port)) {
            numbers.add(selected.port().port());
        }
        return List.copyOf(numbers);
    }

    /** Services that lead to a workload port; one with several such ports is there several times. */
    List<ServiceName> serviceNames(WorkloadId workload, WorkloadResource.Port port) {
        return names.getOrDefault(new LeafKey(workload, port.port()), List.of());
    }

    /** The declared ports of a workload in the order written, then those only Services name, by number. */
    List<WorkloadResource.Port> ports(WorkloadResource workload) {
        SortedMap<Integer, WorkloadResource.Port> more = undeclared.getOrDefault(workload.id(), new TreeMap<>());
        return Stream.concat(workload.ports().stream(), more.values().stream()).toList();
    }

    /** What a workload port speaks: its own word, else its Services', else its name's. */
    Protocol protocol(WorkloadResource workload, int index, WorkloadResource.Port port, Problems problems) {
        if (port.protocol().isPresent()) {
            return port.protocol().get();
        }
        Set<Protocol> said = new TreeSet<>();
        for (SelectedPort selected : leadingTo(workload.id(), port)) {
            selected.declared().ifPresent(said::add);
        }
        if (said.size() > 1) {
            problems.warning(
                    workload.ref(),
                    "spec.ports[%d]".formatted(index),
                    "its Services disagree on what port %d speaks: %s; say it here in 'protocol'"
                            .formatted(
                                    port.port(),
                                    said.stream().map(Protocol::wireName).collect(Collectors.joining(", "))),
                    "it is told from the first bytes of each connection");
            return Protocol.DETECT;
        }
        return said.stream()
                .findFirst()
                .or(() -> Protocols.declared("", port.name()))
                .orElse(Protocol.DETECT);
    }

    /** The headless Service that leads to a workload port, when there is exactly one. */
    Optional<ServiceName> headless(WorkloadId workload, WorkloadResource.Port port) {
        List<ServiceName> found = serviceNames(workload, port).stream()
                .filter(headless::contains)
                .distinct()
                .toList();
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    private List<SelectedPort> leadingTo(WorkloadId workload, WorkloadResource.Port port) {
        return leadingTo.getOrDefault(new LeafKey(workload, port.port()), List.of());
    }
}
