package dev.tulle.controller.watch;

import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.ServiceResource.Port;
import dev.tulle.controller.resources.ServiceResource.Target;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the kinds that are not SMI's, field by field; what is wrong stays with the {@link Fields}. */
final class CoreObjects {
    /** Names of namespaces, services, workloads and service accounts (RFC 1123 subdomain). */
    static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");

    private static final Pattern TRUST_DOMAIN = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,253}[a-z0-9])?");
    private static final Pattern IPV4 =
            Pattern.compile("((25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1?\\d?\\d)");
    private static final Pattern IPV6 = Pattern.compile("(?=.*:)[0-9a-fA-F:]{2,39}(%[0-9a-zA-Z_.-]{1,15})?");
    private static final Pattern HOST_NAME =
            Pattern.compile("(?=.*[a-zA-Z])[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?");
    private static final Pattern CIDR = Pattern.compile("([0-9a-fA-F.:]+)/(\\d{1,3})");
    private static final Pattern SEPARATOR = Pattern.compile("[,\\s]+");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,7})(ms|s|m)");
    private static final int MIN_INTERVAL_MILLIS = 100;
    private static final int MAX_INTERVAL_MILLIS = 3_600_000;
    private static final String LOCALHOST = "127.0.0.1";

    private CoreObjects() {}

    /** A Service (core/v1); the many fields that say nothing to a mesh are passed over. */
    static ServiceResource service(String namespace, String name, Fields document) {
        Fields spec = document.object("spec");
        List<Port> ports = new ArrayList<>();
        for (Fields port : spec.objects("ports")) {
            int number = requiredPort(port, "port");
            ports.add(new Port(
                    port.text("name").orElse(""),
                    number,
                    target(port, number),
                    port.text("protocol").orElse("TCP"),
                    port.text("appProtocol").orElse("")));
        }
        Set<String> addresses = new LinkedHashSet<>(spec.texts("clusterIPs"));
        spec.text("clusterIP").ifPresent(addresses::add);
        addresses.removeIf(address -> address.isEmpty() || address.equals("None"));
        return new ServiceResource(
                namespace,
                name,
                document.object("metadata").words("annotations"),
                spec.words("selector"),
                List.copyOf(addresses),
                spec.text("publishNotReadyAddresses").filter("true"::equals).isPresent(),
                ports);
    }

    private static Target target(Fields port, int number) {
        Optional<String> written = port.text("targetPort");
        if (written.isEmpty()) {
            return new Target.Numbered(number);
        }
        if (written.get().chars().allMatch(Character::isDigit)) {
            return new Target.Numbered(port.whole("targetPort", 1, 65535).orElse(number));
        }
        return new Target.Named(written.get());
    }

    /** A Workload ({@code tulle.dev/v1alpha1}). */
    static WorkloadResource workload(String namespace, String name, Fields document) {
        document.only("apiVersion", "kind", "metadata", "spec");
        Fields metadata = document.object("metadata");
        Fields spec = document.object("spec");
        spec.only("owner", "serviceAccount", "address", "ports", "outbound", "healthCheck");
        String written = spec.text("address").orElse(LOCALHOST);
        if (!isHost(written)) {
            spec.bad("address", "'%s' is neither an IP address nor a host name".formatted(written));
        }
        String address = isHost(written) ? written : LOCALHOST;
        List<WorkloadResource.Port> ports = new ArrayList<>();
        for (Fields port : spec.objects("ports")) {
            workloadPort(port, address, ports).ifPresent(ports::add);
        }
        List<WorkloadResource.Outbound> outbound = new ArrayList<>();
        for (Fields entry : spec.objects("outbound")) {
            outbound(entry).ifPresent(outbound::add);
        }
        String serviceAccount = spec.text("serviceAccount").orElse("default");
        if (!NAME.matcher(serviceAccount).matches()) {
            spec.bad("serviceAccount", notAName(serviceAccount));
        }
        String owner = spec.text("owner").orElse(name);
        if (!NAME.matcher(owner).matches()) {
            spec.bad("owner", notAName(owner));
        }
        return new WorkloadResource(
                new WorkloadId(namespace, name),
                owner,
                serviceAccount,
                metadata.words("labels"),
                metadata.words("annotations"),
                address,
                ports,
                outbound,
                healthCheck(spec, ports));
    }

    private static Optional<WorkloadResource.Port> workloadPort(
            Fields port, String address, List<WorkloadResource.Port> earlier) {
        port.only("name", "port", "application", "listen", "advertise", "protocol");
        int number = requiredPort(port, "port");
        String name = port.text("name").orElse("");
        if (earlier.stream().anyMatch(other -> other.port() == number)) {
            port.bad("port", "%d stands here twice".formatted(number));
        }
        if (!name.isEmpty() && earlier.stream().anyMatch(other -> other.name().equals(name))) {
            port.bad("name", "'%s' stands here twice".formatted(name));
        }
        HostPort application = hostPort(port, "application").orElseGet(() -> new HostPort(LOCALHOST, number));
        int listen = port.whole("listen", 1, 65535).orElse(number);
        if (number != 0 && new HostPort(address, listen).equals(application)) {
            port.bad(
                    port.has("listen") ? "listen" : "port",
                    "the proxy cannot listen on %s, where the application does; say another port in 'listen'"
                            .formatted(application));
        }
        Optional<Protocol> protocol = port.oneOf("protocol", protocolWords()).flatMap(Protocol::ofWireName);
        return number == 0
                ? Optional.empty()
                : Optional.of(new WorkloadResource.Port(
                        name, number, application, listen, hostPort(port, "advertise"), protocol));
    }

    private static Set<String> protocolWords() {
        Set<String> words = new LinkedHashSet<>();
        for (Protocol protocol : Protocol.values()) {
            words.add(protocol.wireName());
        }
        return words;
    }

    private static Optional<WorkloadResource.Outbound> outbound(Fields entry) {
        entry.only("service", "port", "listen");
        String service = entry.required("service");
        int port = requiredPort(entry, "port");
        Optional<HostPort> listen = hostPort(entry, "listen");
        if (!entry.has("listen")) {
            entry.bad("listen", "is missing; say where the application finds the service, e.g. 127.0.0.1:21080");
        }
        return service.isEmpty() || port == 0
                ? Optional.empty()
                : listen.map(at -> new WorkloadResource.Outbound(service, port, at));
    }

    private static Optional<WorkloadResource.HealthCheck> healthCheck(Fields spec, List<WorkloadResource.Port> ports) {
        if (!spec.has("healthCheck")) {
            return Optional.empty();
        }
        Fields check = spec.object("healthCheck");
        check.only("port", "path", "interval");
        String port = check.required("port");
        if (!port.isEmpty()
                && ports.stream()
                        .noneMatch(known -> known.name().equals(port)
                                || Integer.toString(known.port()).equals(port))) {
            check.bad("port", "'%s' is not the name or number of one of its ports".formatted(port));
        }
        String path = check.text("path").orElse("");
        if (!path.isEmpty() && !path.startsWith("/")) {
            check.bad("path", "'%s' does not begin with /".formatted(path));
        }
        String interval = check.text("interval").orElse("1s");
        Optional<Integer> millis = millis(interval);
        if (millis.isEmpty()) {
            check.bad("interval", "'%s' is not a time from 100ms to 60m, such as 500ms or 2s".formatted(interval));
        }
        return millis.map(every -> new WorkloadResource.HealthCheck(port, path, every));
    }

    /** The settings of the mesh: the data of the ConfigMap {@code tulle-settings}. */
    static MeshSettings settings(Fields document) {
        Fields data = document.object("data");
        data.only(
                "access",
                "unmeshed",
                "same-identity",
                "path-match",
                "trust-domain",
                "root-generation",
                "mesh-networks",
                MeshSettings.COMPAT);
        data.oneOf(MeshSettings.COMPAT, new LinkedHashSet<>(List.of("none", "osm")));
        Optional<String> trustDomain = data.text("trust-domain").filter(domain -> {
            boolean good = TRUST_DOMAIN.matcher(domain).matches();
            if (!good) {
                data.bad("trust-domain", "'%s' is not a lower-case DNS name".formatted(domain));
            }
            return good;
        });
        long generation = 0;
        String written = data.text("root-generation").orElse("0");
        if (written.matches("\\d{1,18}")) {
            generation = Long.parseLong(written);
        } else {
            data.bad("root-generation", "'%s' is not a whole number from 0".formatted(written));
        }
        List<String> networks = new ArrayList<>();
        for (String network :
                SEPARATOR.splitAsStream(data.text("mesh-networks").orElse("")).toList()) {
            if (isCidr(network)) {
                networks.add(network);
            } else if (!network.isEmpty()) {
                data.bad("mesh-networks", "'%s' is not a network such as 10.0.0.0/8".formatted(network));
            }
        }
        SortedMap<String, String> access = new TreeMap<>();
        for (String key : List.of("access", "unmeshed", "same-identity", "path-match")) {
            data.text(key).ifPresent(value -> access.put(key, value));
        }
        return new MeshSettings(trustDomain, generation, networks, access);
    }

    private static int requiredPort(Fields fields, String name) {
        if (!fields.has(name)) {
            fields.bad(name, "is missing");
        }
        return fields.whole(name, 1, 65535).orElse(0);
    }

    private static Optional<HostPort> hostPort(Fields fields, String name) {
        return fields.text(name).flatMap(text -> {
            try {
                HostPort parsed = HostPort.parse(text);
                if (isHost(parsed.host()) && parsed.port() > 0) {
                    return Optional.of(parsed);
                }
            } catch (IllegalArgumentException e) {
                // said below
            }
            fields.bad(name, "'%s' is not an address and port such as 127.0.0.1:8080".formatted(text));
            return Optional.empty();
        });
    }

    static String notAName(String text) {
        return "'%s' is not a name: lower-case letters, digits, '-' and '.', at most 253".formatted(text);
    }

    private static boolean isHost(String text) {
        return IPV4.matcher(text).matches()
                || isIpv6(text)
                || HOST_NAME.matcher(text).matches();
    }

    private static boolean isIpv6(String text) {
        try {
            // A text with a colon is read as a literal and never looked up.
            return IPV6.matcher(text).matches() && InetAddress.getByName(text) != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static boolean isCidr(String text) {
        Matcher parts = CIDR.matcher(text);
        if (!parts.matches()) {
            return false;
        }
        int bits = Integer.parseInt(parts.group(2));
        return bits <= (parts.group(1).contains(":") ? 128 : 32) && isHost(parts.group(1));
    }

    private static Optional<Integer> millis(String text) {
        Matcher parts = DURATION.matcher(text);
        if (!parts.matches()) {
            return Optional.empty();
        }
        long unit = switch (parts.group(2)) {
            case "ms" -> 1;
            case "s" -> 1000;
            default -> 60_000;
        };
        long millis = Long.parseLong(parts.group(1)) * unit;
        return millis < MIN_INTERVAL_MILLIS || millis > MAX_INTERVAL_MILLIS
                ? Optional.empty()
                : Optional.of((int) millis);
    }
}
