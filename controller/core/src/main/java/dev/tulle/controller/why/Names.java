package dev.tulle.controller.why;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.Workload;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.SpiffeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Finds what people mean by a name. */
final class Names {
    private final Mesh mesh;

    Names(Mesh mesh) {
        this.mesh = mesh;
    }

    /** A name that leads nowhere, or to more than one thing; the message says which. */
    static final class Unknown extends Exception {
        Unknown(String message) {
            super(message);
        }
    }

    /** Whom a call goes to. */
    sealed interface Callee {
        /** A Service, through its splits. */
        record OfService(Service service) implements Callee {}

        /** Workloads themselves; at least one. */
        record OfWorkloads(String name, List<Workload> workloads) implements Callee {
            public OfWorkloads {
                workloads = List.copyOf(workloads);
            }
        }
    }

    /** A name taken apart; the namespace is absent where none was written. */
    private record Name(String kind, Optional<String> namespace, String name) {
        static Name parse(String text) {
            int colon = text.indexOf(':');
            String kind = colon < 0 ? "" : text.substring(0, colon);
            String rest = text.substring(colon + 1);
            int slash = rest.indexOf('/');
            if (slash >= 0) {
                return new Name(kind, Optional.of(rest.substring(0, slash)), rest.substring(slash + 1));
            }
            return new Name(kind, Optional.empty(), rest);
        }

        boolean is(String wanted) {
            return kind.isEmpty() || kind.equals(wanted);
        }

        boolean in(String candidate) {
            return namespace.map(candidate::equals).orElse(true);
        }
    }

    /** The caller's identity; absent for one without. */
    Optional<SpiffeId> caller(String text) throws Unknown {
        if (text.equals(WhyQuestion.UNMESHED)) {
            return Optional.empty();
        }
        if (text.startsWith("spiffe://")) {
            return Optional.of(
                    SpiffeId.parse(text).orElseThrow(() -> new Unknown("'%s' is not a SPIFFE ID".formatted(text))));
        }
        Name name = Name.parse(text);
        Set<SpiffeId> found = new TreeSet<>();
        if (name.is("workload")) {
            workloads(name).forEach(workload -> found.add(workload.identity()));
        }
        if (found.isEmpty() && name.is("service")) {
            for (Service service : services(name)) {
                behind(service).forEach(workload -> found.add(workload.identity()));
            }
        }
        if (found.isEmpty() && name.is("sa")) {
            accounts().stream()
                    .filter(id -> id.serviceAccount().equals(name.name()) && name.in(id.namespace()))
                    .forEach(found::add);
        }
        if (found.isEmpty()) {
            throw new Unknown("no workload, service or service account is called '%s'%s".formatted(text, hint(name)));
        }
        if (found.size() > 1) {
            throw new Unknown("'%s' stands for several identities (%s): say which"
                    .formatted(text, join(found.stream().map(SpiffeId::uri).toList())));
        }
        return Optional.of(found.iterator().next());
    }

    Callee callee(String text) throws Unknown {
        Name name = Name.parse(text);
        if (name.is("service")) {
            List<Service> services = services(name);
            if (services.size() > 1) {
                throw new Unknown("'%s' stands for several services (%s): say which"
                        .formatted(
                                text,
                                join(services.stream()
                                        .map(service -> service.name().toString())
                                        .toList())));
            }
            if (services.size() == 1) {
                return new Callee.OfService(services.getFirst());
            }
        }
        List<Workload> workloads = name.is("workload") ? workloads(name) : List.of();
        if (workloads.isEmpty() && name.is("sa")) {
            workloads = mesh.workloads().values().stream()
                    .filter(workload -> workload.identity().serviceAccount().equals(name.name())
                            && name.in(workload.id().namespace()))
                    .toList();
        }
        if (workloads.isEmpty()) {
            throw new Unknown("no service, workload or service account with workloads is called '%s'%s"
                    .formatted(text, hint(name)));
        }
        Set<String> namespaces = new TreeSet<>();
        workloads.forEach(workload -> namespaces.add(workload.id().namespace()));
        if (namespaces.size() > 1) {
            throw new Unknown("'%s' is in several namespaces (%s): say which".formatted(text, join(namespaces)));
        }
        return new Callee.OfWorkloads(namespaces.iterator().next() + "/" + name.name(), workloads);
    }

    /** Workloads by their own name, else by their owner's. */
    private List<Workload> workloads(Name name) {
        List<Workload> byName = workloads(name, workload -> workload.id().name().equals(name.name()));
        return byName.isEmpty() ? workloads(name, workload -> workload.owner().equals(name.name())) : byName;
    }

    private List<Workload> workloads(Name name, Predicate<Workload> condition) {
        return mesh.workloads().values().stream()
                .filter(workload -> name.in(workload.id().namespace()))
                .filter(condition)
                .toList();
    }

    /** Services by any form of their name. */
    private List<Service> services(Name name) {
        List<Service> found = mesh.services().values().stream()
                .filter(service -> name.in(service.name().namespace()))
                .filter(service -> service.name().name().equals(name.name()))
                .toList();
        if (!found.isEmpty() || name.namespace().isPresent()) {
            return found;
        }
        return ServiceName.parse(name.name(), "default")
                .flatMap(mesh::service)
                .map(List::of)
                .orElse(List.of());
    }

    private List<Workload> behind(Service service) {
        List<Workload> workloads = new ArrayList<>();
        service.ports()
                .forEach(port -> port.endpoints()
                        .forEach(endpoint ->
                                endpoint.workload().flatMap(mesh::workload).ifPresent(workloads::add)));
        return workloads;
    }

    /** Every identity that a workload has or a TrafficTarget names. */
    private Set<SpiffeId> accounts() {
        Set<SpiffeId> accounts = new TreeSet<>();
        for (Workload workload : mesh.workloads().values()) {
            accounts.add(workload.identity());
            for (Grant grant : workload.access().policy().grants()) {
                accounts.addAll(grant.sources());
            }
        }
        return accounts;
    }

    private static String hint(Name name) {
        return name.namespace().isPresent() ? "" : "; say namespace/name";
    }

    private static String join(Collection<String> names) {
        return String.join(", ", names);
    }
}
