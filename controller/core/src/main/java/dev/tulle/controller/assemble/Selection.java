package dev.tulle.controller.assemble;

import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which workload ports stand behind which Service ports. */
final class Selection {
    private final List<Selected> services;
    private final Map<LeafKey, List<SelectedPort>> leadingTo = new HashMap<>();
    private final Map<LeafKey, List<ServiceName>> names = new HashMap<>();

    private record LeafKey(WorkloadId workload, int port) {}

    private Selection(List<Selected> services) {
        this.services = services;
        for (Selected service : services) {
            for (SelectedPort port : service.ports()) {
                for (Leaf leaf : port.leaves()) {
                    LeafKey leads =
                            new LeafKey(leaf.workload().id(), leaf.port().port());
                    leadingTo.computeIfAbsent(leads, key -> new ArrayList<>()).add(port);
                    names.computeIfAbsent(leads, key -> new ArrayList<>()).add(service.name());
                }
            }
        }
    }

    /** In the order of the resources. */
    List<Selected> services() {
        return services;
    }

    /** One Service and the ports of it that can be served. */
    record Selected(ServiceName name, List<String> addresses, List<SelectedPort> ports) {}

    /** One port of it and the workload ports it leads to. */
    record SelectedPort(ServiceResource.Port port, List<Leaf> leaves) {
        /** What is spoken: what the Service says, else what all its workloads say. */
        Protocol protocol() {
            return declared().orElseGet(() -> {
                Set<Optional<Protocol>> said = leaves.stream()
                        .map(leaf -> leaf.port()
                                .protocol()
                                .or(() -> Protocols.declared("", leaf.port().name())))
                        .collect(Collectors.toSet());
                return said.size() == 1 ? said.iterator().next().orElse(Protocol.DETECT) : Protocol.DETECT;
            });
        }

        private Optional<Protocol> declared() {
            return Protocols.declared(port.appProtocol(), port.name());
        }
    }

    /** One port of one workload. */
    record Leaf(WorkloadResource workload, WorkloadResource.Port port) {}

    static Selection of(List<ServiceResource> services, List<WorkloadResource> workloads, Problems problems) {
        Map<Label, List<WorkloadResource>> byLabel = new HashMap<>();
        for (WorkloadResource workload : workloads) {
            workload.labels()
                    .forEach((key, value) -> byLabel.computeIfAbsent(
                                    new Label(workload.id().namespace(), key, value), label -> new ArrayList<>())
                            .add(workload));
        }
        return new Selection(services.stream()
                .map(service -> select(service, candidates(service, byLabel), problems))
                .toList());
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

    private static Selected select(ServiceResource service, List<WorkloadResource> candidates, Problems problems) {
        List<WorkloadResource> workloads = candidates.stream()
                .filter(workload -> workload.labels()
                        .entrySet()
                        .containsAll(service.selector().entrySet()))
                .toList();
        if (workloads.isEmpty()) {
            problems.info(
                    service.ref(),
                    "spec.selector",
                    service.selector().isEmpty()
                            ? "selects nothing: it is empty"
                            : "selects nothing: no workload in namespace %s has the labels %s"
                                    .formatted(service.namespace(), labels(service)),
                    "requests to it are answered with 503");
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
                ports.add(selectPort(service, port, field, workloads, problems));
            }
        }
        return new Selected(new ServiceName(service.namespace(), service.name()), service.addresses(), ports);
    }

    private static SelectedPort selectPort(
            ServiceResource service,
            ServiceResource.Port port,
            String field,
            List<WorkloadResource> workloads,
            Problems problems) {
        List<Leaf> leaves = new ArrayList<>();
        for (WorkloadResource workload : workloads) {
            workload.ports().stream()
                    .filter(candidate -> isTarget(candidate, port.target()))
                    .findFirst()
                    .ifPresent(found -> leaves.add(new Leaf(workload, found)));
        }
        if (leaves.isEmpty() && !workloads.isEmpty()) {
            problems.warning(
                    service.ref(),
                    field + ".targetPort",
                    "none of the workloads it selects has a port %s".formatted(port.target()),
                    "requests to port %d are answered with 503".formatted(port.port()));
        }
        return new SelectedPort(port, leaves);
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

    /** What a workload port speaks: its own word, else its Services', else its name's. */
    Protocol protocol(WorkloadResource workload, int index, Problems problems) {
        WorkloadResource.Port port = workload.ports().get(index);
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

    private List<SelectedPort> leadingTo(WorkloadId workload, WorkloadResource.Port port) {
        return leadingTo.getOrDefault(new LeafKey(workload, port.port()), List.of());
    }
}
