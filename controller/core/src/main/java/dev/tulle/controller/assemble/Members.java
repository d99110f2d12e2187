package dev.tulle.controller.assemble;

import dev.tulle.controller.model.Addresses;
import dev.tulle.controller.model.Addresses.Member;
import dev.tulle.controller.model.Addresses.MemberPort;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.Protocol;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Gathers pods by the addresses that are theirs alone. */
final class Members {
    private final Selection selection;
    private final OpaquePorts opaque;
    private final String trustDomain;
    private final SortedMap<String, Member> byAddress = new TreeMap<>();

    Members(Selection selection, OpaquePorts opaque, String trustDomain) {
        this.selection = selection;
        this.opaque = opaque;
        this.trustDomain = trustDomain;
    }

    /** What was gathered. */
    SortedMap<String, Member> byAddress() {
        return byAddress;
    }

    /** Adds a workload, unless it is no pod or has no address of its own. */
    void add(WorkloadResource workload, List<InboundPort> inbound) {
        List<String> addresses =
                workload.pod().map(WorkloadResource.Pod::addresses).orElse(List.of());
        if (addresses.isEmpty()) {
            return;
        }
        Map<Integer, Protocol> protocols = new HashMap<>();
        inbound.forEach(port -> protocols.put(port.port(), port.protocol()));
        SortedMap<Integer, MemberPort> ports = new TreeMap<>();
        for (WorkloadResource.Port port : selection.ports(workload)) {
            ports.put(
                    port.port(),
                    new MemberPort(
                            protocols.getOrDefault(port.port(), Protocol.DETECT),
                            selection.headless(workload.id(), port)));
        }
        Member member = new Member(
                workload.id(),
                workload.owner(),
                workload.meshed() ? Optional.of(MeshAssembler.identity(workload, trustDomain)) : Optional.empty(),
                workload.zone(),
                ports,
                opaque.ofWorkload(workload));
        addresses.forEach(address -> byAddress.put(Addresses.canonical(address), member));
    }
}
