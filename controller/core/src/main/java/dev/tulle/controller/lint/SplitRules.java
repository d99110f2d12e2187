package dev.tulle.controller.lint;

import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.resources.NearestName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.smi.TrafficSplit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Splits that are legal and do not do what they look like. Source: SMI TrafficSplit v1alpha4. */
final class SplitRules {
    private final World world;
    private final Findings findings;
    private final Map<ServiceName, ServiceResource> services = new HashMap<>();
    private final Map<ServiceName, TrafficSplit> roots = new HashMap<>();

    SplitRules(World world, Findings findings) {
        this.world = world;
        this.findings = findings;
        world.resources()
                .services()
                .forEach(service -> services.put(new ServiceName(service.namespace(), service.name()), service));
        world.resources().splits().forEach(split -> roots.putIfAbsent(name(split, split.service()), split));
    }

    void check() {
        boolean hasAddresses = services.values().stream()
                .anyMatch(service -> !service.addresses().isEmpty());
        for (TrafficSplit split : world.resources().splits()) {
            ObjectRef ref = Resources.ref(split);
            followed(ref, split);
            sameEndpoints(ref, split);
            misspelt(ref, split);
            if (hasAddresses) {
                headless(ref, split);
            }
        }
        world.mesh().services().values().forEach(this::hidden);
    }

    /** Splits are not followed from backend to backend. */
    private void followed(ObjectRef ref, TrafficSplit split) {
        for (int i = 0; i < split.backends().size(); i++) {
            String backend = split.backends().get(i).service();
            TrafficSplit other = roots.get(name(split, backend));
            if (other != null && !backend.equals(split.service()) && services.containsKey(name(split, backend))) {
                findings.warning(
                        "not-followed",
                        ref,
                        "spec.backends[%d].service".formatted(i),
                        "Service %s is the root of TrafficSplit %s, and splits are not followed"
                                .formatted(
                                        name(split, backend), other.metadata().id()),
                        "its share goes to its own pods",
                        "name the backends of that split here");
            }
        }
    }

    /** Two backends that select the same pods: whatever the weights, every pod gets the same. */
    private void sameEndpoints(ObjectRef ref, TrafficSplit split) {
        Map<List<Object>, String> first = new HashMap<>();
        for (int i = 0; i < split.backends().size(); i++) {
            String backend = split.backends().get(i).service();
            ServiceResource service = services.get(name(split, backend));
            if (service == null || service.selector().isEmpty()) {
                continue;
            }
            List<Object> leads = List.of(
                    service.selector(),
                    service.ports().stream()
                            .map(port -> List.of(port.port(), port.target()))
                            .toList());
            String other = first.putIfAbsent(leads, backend);
            if (other != null && !other.equals(backend)) {
                findings.warning(
                        "same-endpoints",
                        ref,
                        "spec.backends[%d].service".formatted(i),
                        "Service %s selects the same pods as %s".formatted(name(split, backend), other),
                        "the weights make no difference between the two",
                        "give each backend a selector of its own, such as a label version");
            }
        }
    }

    /** A backend of weight 0 may come later; one that looks like a Service that is there was probably meant to be it. */
    private void misspelt(ObjectRef ref, TrafficSplit split) {
        String namespace = split.metadata().namespace();
        Set<String> taken = new HashSet<>();
        split.backends().forEach(backend -> taken.add(backend.service()));
        taken.add(split.service());
        for (int i = 0; i < split.backends().size(); i++) {
            TrafficSplit.Backend backend = split.backends().get(i);
            if (backend.weight() == 0 && !services.containsKey(name(split, backend.service()))) {
                Set<String> free = new HashSet<>(world.names("Service", namespace));
                free.removeAll(taken);
                Optional<String> near = NearestName.to(backend.service(), free);
                if (near.isPresent()) {
                    findings.warning(
                            "missing-service",
                            ref,
                            "spec.backends[%d].service".formatted(i),
                            world.notHere(new ObjectRef("Service", namespace, backend.service())),
                            "it takes no part",
                            "is %s meant? Correct the name, or make it".formatted(near.get()));
                }
            }
        }
    }

    /** Requests say which Service they mean; opaque connections to a pod's own address do not. */
    private void headless(ObjectRef ref, TrafficSplit split) {
        ServiceName name = name(split, split.service());
        ServiceResource root = services.get(name);
        if (root == null || !root.addresses().isEmpty()) {
            return;
        }
        List<String> opaque = world.mesh().service(name).stream()
                .flatMap(service -> service.ports().stream())
                .filter(port -> port.protocol() == Protocol.TCP)
                .map(port -> Integer.toString(port.port()))
                .toList();
        if (!opaque.isEmpty()) {
            findings.warning(
                    "headless-root",
                    ref,
                    "spec.service",
                    "Service %s is headless, so callers of its opaque port %s dial the pods' own addresses"
                            .formatted(name, String.join(", ", opaque)),
                    "these connections are not split",
                    "remove clusterIP: None from the Service, or call another one");
        }
    }

    /** A split with matches that an earlier one takes all requests from, or that takes none itself. */
    private void hidden(Service service) {
        List<Split> splits = service.splits();
        for (int i = 0; i < splits.size(); i++) {
            Optional<List<HttpMatch>> matches = splits.get(i).matches();
            if (matches.isEmpty()) {
                continue;
            }
            ObjectRef ref = new ObjectRef(
                    "TrafficSplit",
                    service.name().namespace(),
                    splits.get(i).name().substring(service.name().namespace().length() + 1));
            if (matches.get().isEmpty()) {
                findings.error(
                        "matches-nothing",
                        ref,
                        "spec.matches",
                        "none of its HTTPRouteGroups has an entry that can be used",
                        "it takes no request",
                        "write entries, or correct their regular expressions");
                continue;
            }
            for (Split earlier : splits.subList(0, i)) {
                if (earlier.matches()
                        .filter(all -> all.containsAll(matches.get()))
                        .isPresent()) {
                    findings.warning(
                            "split-hidden",
                            ref,
                            "spec.matches",
                            "TrafficSplit %s comes before it and takes the same requests".formatted(earlier.name()),
                            "it takes no request",
                            "remove one of them, or give them different HTTPRouteGroups");
                    break;
                }
            }
        }
    }

    private static ServiceName name(TrafficSplit split, String service) {
        return new ServiceName(split.metadata().namespace(), service);
    }
}
