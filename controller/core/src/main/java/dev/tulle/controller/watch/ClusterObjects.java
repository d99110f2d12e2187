package dev.tulle.controller.watch;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.resources.EndpointSliceResource;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.resources.WorkloadResource.Pod.Maker;
import dev.tulle.controller.resources.WorkloadResource.Pod.Serving;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadConfig.Probe;
import dev.tulle.proxy.model.WorkloadId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads what a mesh wants of the kinds that only a cluster has. Fields the API server checked are not checked again. */
final class ClusterObjects {
    /** Label of a pod that a proxy was put into. */
    static final String MESHED = "tulle.dev/meshed";

    /** Label of a pod or namespace that says whether a proxy is to be put in. */
    static final String INJECT = "tulle.dev/inject";

    /** The container that is the proxy: what it declares is not the application's. */
    static final String PROXY_CONTAINER = "tulle-proxy";

    private static final String LOCALHOST = "127.0.0.1";
    private static final Set<String> OVER = Set.of("Succeeded", "Failed");
    private static final Set<String> WRITTEN_BY_US = Set.of("tulle.dev/proxy-version", "tulle.dev/status");
    /** A Job of a CronJob is named after the minute it was due. */
    private static final Pattern OF_CRON_JOB = Pattern.compile("(.+)-\\d{8,11}");

    private ClusterObjects() {}

    /** A Namespace. */
    record Space(String name, SortedMap<String, String> annotations, Optional<String> injection) {}

    /** A Node: where its pods are. */
    record MachineNode(String name, String zone, List<String> podNetworks) {}

    /** Networks that addresses are given from. */
    record Networks(List<String> cidrs) {}

    /**
     * A pod that is not over.
     *
     * @param workload without its zone
     * @param node where it runs, or empty
     * @param injection what its own label says
     * @param ending whether it was told to end
     */
    record RunningPod(
            WorkloadResource workload, String node, Optional<String> injection, boolean hostNetwork, boolean ending) {
        RunningPod {
            requireNonNull(workload, "workload");
        }

        Serving serving() {
            return workload.pod().orElseThrow().serving();
        }

        /** The workload in its zone, if that is not empty. */
        WorkloadResource at(String zone) {
            if (zone.isEmpty() || !workload.zone().isEmpty()) {
                return workload;
            }
            SortedMap<String, String> labels = new TreeMap<>(workload.labels());
            labels.put(WorkloadResource.ZONE_LABEL, zone);
            return new WorkloadResource(
                    workload.id(),
                    workload.owner(),
                    workload.serviceAccount(),
                    labels,
                    workload.annotations(),
                    workload.address(),
                    workload.ports(),
                    workload.outbound(),
                    workload.healthCheck(),
                    workload.pod());
        }
    }

    static Space namespace(String name, Fields document) {
        Fields metadata = document.object("metadata");
        return new Space(
                name,
                ours(metadata.words("annotations")),
                Optional.ofNullable(metadata.words("labels").get(INJECT)));
    }

    static MachineNode node(String name, Fields document) {
        Fields spec = document.object("spec");
        Set<String> networks = new TreeSet<>(spec.texts("podCIDRs"));
        spec.text("podCIDR").filter(cidr -> !cidr.isEmpty()).ifPresent(networks::add);
        String zone = document.object("metadata").words("labels").getOrDefault(WorkloadResource.ZONE_LABEL, "");
        return new MachineNode(name, zone, List.copyOf(networks));
    }

    static Networks serviceNetworks(Fields document) {
        return new Networks(document.object("spec").texts("cidrs"));
    }

    /** A Service; absent for one that is only another name for something outside. */
    static Optional<ServiceResource> service(String namespace, String name, Fields document) {
        if (document.object("spec").text("type").filter("ExternalName"::equals).isPresent()) {
            return Optional.empty();
        }
        ServiceResource whole = CoreObjects.service(namespace, name, document);
        return Optional.of(new ServiceResource(
                namespace,
                name,
                ours(whole.annotations()),
                whole.selector(),
                whole.addresses(),
                whole.publishNotReady(),
                whole.ports()));
    }

    /** Endpoints of a Service; absent when they are of none. */
    static Optional<EndpointSliceResource> slice(String namespace, String name, Fields document) {
        String service = document.object("metadata").words("labels").getOrDefault("kubernetes.io/service-name", "");
        if (service.isEmpty()
                || document.text("addressType").filter("FQDN"::equals).isPresent()) {
            return Optional.empty();
        }
        List<EndpointSliceResource.Port> ports = new ArrayList<>();
        for (Fields port : document.objects("ports")) {
            // A port without a number stands for all of them, which no Service port can lead to.
            port.whole("port", 1, 65535)
                    .ifPresent(number -> ports.add(new EndpointSliceResource.Port(
                            port.text("name").orElse(""),
                            number,
                            port.text("protocol").orElse("TCP"))));
        }
        List<EndpointSliceResource.Endpoint> endpoints = new ArrayList<>();
        for (Fields endpoint : document.objects("endpoints")) {
            List<String> addresses = endpoint.texts("addresses");
            if (!addresses.isEmpty()) {
                // A condition that is not there means yes.
                boolean ready = !endpoint.object("conditions")
                        .text("ready")
                        .filter("false"::equals)
                        .isPresent();
                endpoints.add(new EndpointSliceResource.Endpoint(
                        addresses, ready, endpoint.text("zone").orElse("")));
            }
        }
        return Optional.of(new EndpointSliceResource(namespace, name, service, ports, endpoints));
    }

    /** A pod; absent when it is over. */
    static Optional<RunningPod> pod(String namespace, String name, Fields document) {
        Fields metadata = document.object("metadata");
        Fields spec = document.object("spec");
        Fields status = document.object("status");
        if (OVER.contains(status.text("phase").orElse(""))) {
            return Optional.empty();
        }
        SortedMap<String, String> labels = metadata.words("labels");
        boolean hostNetwork = isTrue(spec, "hostNetwork");
        boolean ending = metadata.has("deletionTimestamp");
        boolean meshed = !hostNetwork && "true".equals(labels.get(MESHED));
        Set<String> addresses = new LinkedHashSet<>();
        status.text("podIP").ifPresent(addresses::add);
        status.objects("podIPs").forEach(address -> address.text("ip").ifPresent(addresses::add));
        addresses.remove("");
        String address = addresses.stream().findFirst().orElse(LOCALHOST);
        List<Fields> containers = containers(spec);
        List<Maker> makers = makers(metadata, labels);
        String node = spec.text("nodeName").orElse("");
        WorkloadResource workload = new WorkloadResource(
                new WorkloadId(namespace, name),
                makers.isEmpty() ? name : makers.getLast().name(),
                spec.text("serviceAccountName")
                        .filter(account -> !account.isEmpty())
                        .orElse("default"),
                labels,
                ours(metadata.words("annotations")),
                address,
                ports(containers, address),
                List.of(),
                Optional.empty(),
                Optional.of(new WorkloadResource.Pod(
                        meshed,
                        hostNetwork ? List.of() : List.copyOf(addresses),
                        serving(status, ending, addresses.isEmpty()),
                        meshed ? probes(containers) : List.of(),
                        makers,
                        node)));
        return Optional.of(
                new RunningPod(workload, node, Optional.ofNullable(labels.get(INJECT)), hostNetwork, ending));
    }

    private static Serving serving(Fields status, boolean ending, boolean nowhere) {
        boolean ready = !nowhere
                && status.objects("conditions").stream()
                        .anyMatch(condition -> condition.text("type").equals(Optional.of("Ready"))
                                && condition.text("status").equals(Optional.of("True")));
        if (!ready) {
            return Serving.NOT_READY;
        }
        return ending ? Serving.ENDING : Serving.READY;
    }

    /** Containers that run beside each other for the pod's whole life, without the proxy. */
    private static List<Fields> containers(Fields spec) {
        Stream<Fields> sidecars = spec.objects("initContainers").stream()
                .filter(container -> container.text("restartPolicy").equals(Optional.of("Always")));
        return Stream.concat(spec.objects("containers").stream(), sidecars)
                .filter(container -> !container.text("name").equals(Optional.of(PROXY_CONTAINER)))
                .toList();
    }

    /** TCP ports that the containers declare; of two with one number or name the first holds. */
    private static List<WorkloadResource.Port> ports(List<Fields> containers, String address) {
        Map<Integer, WorkloadResource.Port> ports = new LinkedHashMap<>();
        Set<String> names = new TreeSet<>();
        for (Fields container : containers) {
            for (Fields port : container.objects("ports")) {
                int number = port.whole("containerPort", 1, 65535).orElse(0);
                if (number == 0 || !port.text("protocol").orElse("TCP").equals("TCP") || ports.containsKey(number)) {
                    continue;
                }
                String name = port.text("name").filter(names::add).orElse("");
                ports.put(
                        number,
                        new WorkloadResource.Port(
                                name,
                                number,
                                new HostPort(address, number),
                                number,
                                Optional.empty(),
                                Optional.empty()));
            }
        }
        return List.copyOf(ports.values());
    }

    /** What the kubelet asks the application over HTTP or gRPC, as probes and as hooks of its life. */
    private static List<Probe> probes(List<Fields> containers) {
        Set<Probe> probes = new LinkedHashSet<>();
        for (Fields container : containers) {
            for (String kind : List.of("readinessProbe", "livenessProbe", "startupProbe")) {
                Fields probe = container.object(kind);
                httpProbe(container, probe).ifPresent(probes::add);
                probe.object("grpc")
                        .whole("port", 1, 65535)
                        .ifPresent(port -> probes.add(new Probe(port, Probe.Kind.GRPC, "")));
            }
            Fields life = container.object("lifecycle");
            httpProbe(container, life.object("postStart")).ifPresent(probes::add);
            httpProbe(container, life.object("preStop")).ifPresent(probes::add);
        }
        return probes.stream()
                .sorted(Comparator.comparingInt(Probe::port)
                        .thenComparing(Probe::kind)
                        .thenComparing(Probe::path))
                .toList();
    }

    private static Optional<Probe> httpProbe(Fields container, Fields probe) {
        if (!probe.has("httpGet")) {
            return Optional.empty();
        }
        Fields get = probe.object("httpGet");
        boolean plain = get.text("scheme").orElse("HTTP").equals("HTTP");
        boolean elsewhere = get.text("host").filter(host -> !host.isEmpty()).isPresent();
        String path = get.text("path").orElse("");
        return plain && !elsewhere
                ? port(container, get.text("port").orElse(""))
                        .map(port -> new Probe(port, Probe.Kind.HTTP, path.startsWith("/") ? path : "/" + path))
                : Optional.empty();
    }

    private static Optional<Integer> port(Fields container, String nameOrNumber) {
        if (nameOrNumber.matches("\\d{1,5}")) {
            int number = Integer.parseInt(nameOrNumber);
            return number >= 1 && number <= 65535 ? Optional.of(number) : Optional.empty();
        }
        return container.objects("ports").stream()
                .filter(port -> port.text("name").equals(Optional.of(nameOrNumber)))
                .findFirst()
                .flatMap(port -> port.whole("containerPort", 1, 65535));
    }

    /** What made the pod, the nearest first; the last is what people call it by: the Deployment, not its ReplicaSet. */
    private static List<Maker> makers(Fields metadata, SortedMap<String, String> labels) {
        Optional<Fields> owner = metadata.objects("ownerReferences").stream()
                .filter(reference -> isTrue(reference, "controller"))
                .findFirst();
        String kind = owner.flatMap(reference -> reference.text("kind")).orElse("");
        String name = owner.flatMap(reference -> reference.text("name")).orElse("");
        if (name.isEmpty() || kind.equals("Node")) {
            return List.of(); // Made by hand, or a static pod, which the kubelet made.
        }
        Maker nearest = new Maker(kind, name);
        return switch (kind) {
            case "ReplicaSet" -> {
                String hash = "-" + labels.getOrDefault("pod-template-hash", "");
                yield hash.length() > 1 && name.endsWith(hash) && name.length() > hash.length()
                        ? List.of(nearest, new Maker("Deployment", name.substring(0, name.length() - hash.length())))
                        : List.of(nearest);
            }
            case "Job" -> {
                var matcher = OF_CRON_JOB.matcher(name);
                yield matcher.matches() ? List.of(nearest, new Maker("CronJob", matcher.group(1))) : List.of(nearest);
            }
            default -> List.of(nearest);
        };
    }

    private static boolean isTrue(Fields fields, String name) {
        return fields.text(name).equals(Optional.of("true"));
    }

    /** Annotations that are about the mesh; the others may be long and many. What we write ourselves says nothing. */
    private static SortedMap<String, String> ours(SortedMap<String, String> annotations) {
        SortedMap<String, String> ours = new TreeMap<>();
        annotations.forEach((key, value) -> {
            if (key.startsWith("tulle.dev/") ? !WRITTEN_BY_US.contains(key) : key.startsWith("config.tulle.dev/")) {
                ours.put(key, value);
            }
        });
        return ours;
    }
}
