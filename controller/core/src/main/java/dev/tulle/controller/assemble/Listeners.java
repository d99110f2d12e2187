package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.resources.WorkloadResource.Outbound;
import dev.tulle.controller.resources.WorkloadResource.Port;
import dev.tulle.proxy.model.HostPort;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Leaves out listeners that cannot be opened because another one, or an application, has the address and port.
 *
 * <p>Workloads of one address share a machine; of two that want the same, the first by name has it. Where a workload without ports
 * runs is not known when its address is a loopback one: nobody dials it.
 */
final class Listeners {
    private static final List<String> ANY_ADDRESS = List.of("0.0.0.0", "::");

    private final Problems problems;
    private final Map<String, Map<Integer, List<Taken>>> machines = new HashMap<>();

    private record Taken(HostPort at, String by) {}

    private Listeners(Problems problems) {
        this.problems = problems;
    }

    /** The workloads with the listeners they can have; in the same order. */
    static List<WorkloadResource> withoutConflicts(List<WorkloadResource> workloads, Problems problems) {
        Listeners listeners = new Listeners(problems);
        for (WorkloadResource workload : workloads) {
            if (workload.pod().isPresent()) {
                continue; // Its traffic is redirected: it opens no port of its own.
            }
            for (Port port : workload.ports()) {
                listeners.take(workload, port.application(), "the application of " + workload.ref());
            }
        }
        return workloads.stream()
                .map(workload -> workload.pod().isPresent() ? workload : listeners.admit(workload))
                .toList();
    }

    private WorkloadResource admit(WorkloadResource workload) {
        ObjectRef ref = workload.ref();
        List<Port> ports = new ArrayList<>();
        for (int i = 0; i < workload.ports().size(); i++) {
            Port port = workload.ports().get(i);
            HostPort at = new HostPort(workload.address(), port.listen());
            if (isFree(workload, at, "spec.ports[%d].listen".formatted(i), "the port is left out")) {
                take(workload, at, ref.toString());
                ports.add(port);
            }
        }
        List<Outbound> outbound = new ArrayList<>();
        for (int i = 0; i < workload.outbound().size(); i++) {
            Outbound entry = workload.outbound().get(i);
            if (isFree(workload, entry.listen(), "spec.outbound[%d].listen".formatted(i), "the entry is left out")) {
                take(workload, entry.listen(), ref.toString());
                outbound.add(entry);
            }
        }
        return new WorkloadResource(
                workload.id(),
                workload.owner(),
                workload.serviceAccount(),
                workload.labels(),
                workload.annotations(),
                workload.address(),
                ports,
                outbound,
                workload.healthCheck());
    }

    private boolean isFree(WorkloadResource workload, HostPort wanted, String field, String outcome) {
        for (Taken taken : takenPorts(workload, wanted)) {
            if (taken.at().host().equals(wanted.host())
                    || ANY_ADDRESS.contains(taken.at().host())
                    || ANY_ADDRESS.contains(wanted.host())) {
                problems.error(
                        workload.ref(),
                        field,
                        "%s is taken by %s; say another port".formatted(wanted, taken.by()),
                        outcome);
                return false;
            }
        }
        return true;
    }

    private void take(WorkloadResource workload, HostPort at, String by) {
        takenPorts(workload, at).add(new Taken(at, by));
    }

    private List<Taken> takenPorts(WorkloadResource workload, HostPort at) {
        String machine = workload.ports().isEmpty() && Loopback.is(workload.address())
                ? workload.id().toString()
                : workload.address();
        return machines.computeIfAbsent(machine, name -> new HashMap<>())
                .computeIfAbsent(at.port(), port -> new ArrayList<>());
    }
}
