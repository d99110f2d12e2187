package dev.tulle.cli.migrate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.cli.migrate.Note.Outcome;
import dev.tulle.cli.migrate.Objects.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;

/**
 * Makes Tulle's manifests of Open Service Mesh's (v1.2): the SMI objects stay, what OSM says elsewhere becomes labels, annotations and
 * settings. Source: the field names of OSM's definitions in groups {@code config} and {@code policy.openservicemesh.io}.
 */
public final class OsmMigration {
    private static final String PREFIX = "openservicemesh.io/";
    private static final String POLICY = "policy.openservicemesh.io";
    private static final String CONFIG = "config.openservicemesh.io";
    private static final String MONITORED = PREFIX + "monitored-by";
    private static final String INJECTION = PREFIX + "sidecar-injection";
    private static final String METRICS = PREFIX + "metrics";
    private static final String IGNORE = PREFIX + "ignore";

    private static final Map<String, String> POD_WORDS = Map.of(
            PREFIX + "inbound-port-exclusion-list", "skip-inbound-ports",
            PREFIX + "outbound-port-exclusion-list", "skip-outbound-ports",
            PREFIX + "outbound-ip-range-exclusion-list", "skip-outbound-cidrs");
    private static final Map<String, String> LOG_LEVELS = Map.of(
            "trace",
            "debug",
            "debug",
            "debug",
            "info",
            "info",
            "warning",
            "warn",
            "warn",
            "warn",
            "error",
            "error",
            "critical",
            "error",
            "off",
            "error");
    private static final Set<String> RETRY_WORDS = Set.of(
            "5xx",
            "gateway-error",
            "reset",
            "connect-failure",
            "refused-stream",
            "cancelled",
            "deadline-exceeded",
            "internal",
            "resource-exhausted",
            "unavailable");
    private static final Map<String, String> UNITS = Map.of("second", "s", "minute", "m", "hour", "h");

    private final Objects objects;
    private final ServiceWords services;
    private final PodWords pods;
    private final List<Item> meshed = new ArrayList<>();

    private OsmMigration(Objects objects) {
        this.objects = objects;
        this.services = new ServiceWords(objects);
        this.pods = new PodWords(objects);
    }

    /**
     * What the manifests become.
     *
     * @param files text by name
     * @throws IllegalArgumentException if a file is no YAML; the message is a sentence
     */
    public static Migrated migrate(SortedMap<String, String> files) {
        Objects objects = new Objects(files);
        OsmMigration migration = new OsmMigration(objects);
        migration.namespaces();
        migration.templates();
        migration.targets();
        migration.routes();
        migration.meshConfig();
        migration.retries();
        migration.upstreams();
        migration.egress();
        migration.ingress();
        migration.others();
        return objects.migrated();
    }

    private void namespaces() {
        for (Item item : objects.ofKind("", "Namespace")) {
            Optional<String> monitored = Objects.take(item.value, "labels", MONITORED);
            Optional<String> injection = Objects.take(item.value, "annotations", INJECTION);
            Optional<String> ignored = Objects.take(item.value, "labels", IGNORE);
            boolean isAsked = injection.filter(OsmMigration::isEnabled).isPresent();
            if (monitored.isPresent()) {
                meshed.add(item);
            }
            if (monitored.isPresent() && isAsked) {
                pods.inject(item, item.value, "metadata.labels." + MONITORED, "enabled", "");
            } else if (monitored.isPresent()) {
                objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "metadata.labels." + MONITORED,
                        "is left out: only pods that ask themselves got a proxy here, and so they do now",
                        "");
            } else if (ignored.isPresent()) {
                pods.inject(item, item.value, "metadata.labels." + IGNORE, "disabled", "");
            } else {
                injection.ifPresent(value -> objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "metadata.annotations." + INJECTION,
                        "is left out: without the label %s it said nothing".formatted(MONITORED),
                        ""));
            }
            metrics(item, item.value, "");
        }
    }

    private static boolean isEnabled(String value) {
        return List.of("enabled", "yes", "true").contains(value);
    }

    private void metrics(Item item, ObjectNode on, String prefix) {
        Objects.take(on, "annotations", METRICS)
                .ifPresent(
                        value -> objects.note(
                                Outcome.APPROXIMATED,
                                item,
                                prefix + "metadata.annotations." + METRICS,
                                "is left out: every proxy shows its numbers at :15890/metrics, and no scrape annotations are written",
                                "let Prometheus scrape port 15890; config.tulle.dev/metrics: osm gives the numbers OSM's names"));
    }

    private void templates() {
        for (Item item : objects.all()) {
            Optional<ObjectNode> template = item.template();
            if (template.isEmpty()) {
                continue;
            }
            String path = item.templatePrefix();
            Objects.take(template.get(), "annotations", INJECTION).ifPresent(value -> {
                String field = path + "metadata.annotations." + INJECTION;
                pods.inject(item, template.get(), field, isEnabled(value) ? "enabled" : "disabled", "");
            });
            POD_WORDS.keySet().stream()
                    .sorted()
                    .forEach(theirs ->
                            pods.translate(item, template.get(), path, theirs, POD_WORDS.getOrDefault(theirs, "")));
            metrics(item, template.get(), path);
            for (String key : keys(template.get().at("/metadata/annotations"))) {
                if (key.startsWith(PREFIX)) {
                    objects.note(
                            Outcome.UNSUPPORTED,
                            item,
                            path + "metadata.annotations." + key,
                            "Tulle has no such word; it stays and says nothing",
                            "skip addresses by config.tulle.dev/skip-outbound-cidrs where that helps");
                }
            }
        }
    }

    private static List<String> keys(JsonNode mapping) {
        List<String> keys = new ArrayList<>();
        mapping.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    private void targets() {
        for (Item item : objects.ofKind("access.smi-spec.io", "TrafficTarget")) {
            JsonNode spec = item.value.path("spec");
            boolean hasGroup = false;
            boolean hasTcp = false;
            for (int i = 0; i < spec.path("rules").size(); i++) {
                JsonNode rule = spec.path("rules").path(i);
                String field = "spec.rules[%d]".formatted(i);
                switch (rule.path("kind").asText()) {
                    case "HTTPRouteGroup" -> {
                        hasGroup = true;
                        if (rule.path("matches").isEmpty()) {
                            objects.note(
                                    Outcome.APPROXIMATED,
                                    item,
                                    field,
                                    "names no entry: that means every entry of %s, as SMI says; OSM took it for none"
                                            .formatted(rule.path("name").asText()),
                                    "name the entries that are meant in 'matches'");
                        }
                    }
                    case "TCPRoute" -> hasTcp = true;
                    case "UDPRoute" ->
                        objects.note(
                                Outcome.APPROXIMATED,
                                item,
                                field,
                                "this rule has no effect, the others hold; OSM refused the whole target",
                                "remove the rule");
                    default -> {
                        // Lint says what is wrong with it.
                    }
                }
            }
            if (hasTcp && !hasGroup) {
                objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "spec.rules",
                        "lets HTTP requests in on its ports, too; OSM let only other TCP in",
                        "add an HTTPRouteGroup if requests are to be narrowed");
            }
            for (int i = 0; i < spec.path("sources").size(); i++) {
                if (spec.path("sources").path(i).path("namespace").asText().isEmpty()) {
                    objects.note(
                            Outcome.APPROXIMATED,
                            item,
                            "spec.sources[%d].namespace".formatted(i),
                            "means the target's own namespace where it is not written; for OSM it meant nobody",
                            "");
                }
            }
            objects.done(item, "", "holds as it is");
        }
    }

    private void routes() {
        for (Item item : objects.all()) {
            switch (item.group() + " " + item.kind()) {
                case "specs.smi-spec.io HTTPRouteGroup" ->
                    objects.done(item, "", "holds as it is: path-match: full lets paths match as a whole, as OSM did");
                case "specs.smi-spec.io TCPRoute" -> objects.done(item, "", "holds as it is");
                case "split.smi-spec.io TrafficSplit" ->
                    objects.note(
                            Outcome.DONE,
                            item,
                            "",
                            item.value.path("spec").has("matches")
                                    ? "holds as it is, with its matches, which OSM did not read"
                                    : "holds as it is",
                            "");
                default -> {
                    // Not of SMI.
                }
            }
        }
    }

    private void meshConfig() {
        List<Item> configs = objects.ofKind(CONFIG, "MeshConfig");
        boolean hasTargets =
                !objects.ofKind("access.smi-spec.io", "TrafficTarget").isEmpty();
        boolean hasSmi = objects.all().stream().anyMatch(item -> item.group().endsWith("smi-spec.io"));
        if (configs.isEmpty() && !hasSmi) {
            return;
        }
        ObjectNode data = settings();
        data.put("path-match", "full");
        if (configs.isEmpty()) {
            objects.all().stream()
                    .filter(item -> item.group().endsWith("smi-spec.io"))
                    .findFirst()
                    .ifPresent(
                            item -> objects.note(
                                    Outcome.APPROXIMATED,
                                    item,
                                    "",
                                    "no MeshConfig is among the manifests, so it is not known whether traffic was permissive: access: open holds, which a "
                                            + "TrafficTarget closes for what it names",
                                    "write access: closed into ConfigMap tulle-system/tulle-settings if it was not permissive"));
            return;
        }
        for (Item item : configs) {
            JsonNode spec = item.value.path("spec");
            Set<String> known = new TreeSet<>();
            if (spec.path("featureFlags").isObject()) {
                known.add("spec.featureFlags");
                objects.done(item, "spec.featureFlags", "is left out: there is nothing to switch on");
            }
            traffic(item, spec.path("traffic"), data, hasTargets, known);
            sidecar(item, spec.path("sidecar"), known);
            String validity =
                    spec.at("/certificate/serviceCertValidityDuration").asText("");
            if (!validity.isEmpty()) {
                known.add("spec.certificate.serviceCertValidityDuration");
                boolean isSame = validity.equals("24h");
                objects.note(
                        isSame ? Outcome.DONE : Outcome.APPROXIMATED,
                        item,
                        "spec.certificate.serviceCertValidityDuration",
                        "certificates live 24 hours and are renewed by themselves"
                                + (isSame ? "" : ", not " + validity),
                        isSame ? "" : "start the controller with --leaf-ttl for another life");
            }
            noteTheRest(item, spec, known, "see install/README.md for what there is");
            item.leaveOut();
            objects.done(item, "", "is left out: ConfigMap tulle-system/tulle-settings is in its place");
        }
    }

    /** The data of the settings, which may be among the manifests. */
    private ObjectNode settings() {
        return objects.find("", "ConfigMap", "tulle-system", "tulle-settings")
                .map(item -> Objects.mapping(item.value, "data"))
                .orElseGet(() ->
                        Objects.mapping(objects.add("v1", "ConfigMap", "tulle-system", "tulle-settings"), "data"));
    }

    private void traffic(Item item, JsonNode traffic, ObjectNode data, boolean hasTargets, Set<String> known) {
        known.addAll(List.of("spec.traffic.enablePermissiveTrafficPolicyMode", "spec.traffic.enableEgress"));
        boolean isPermissive = traffic.path("enablePermissiveTrafficPolicyMode").asBoolean();
        String field = "spec.traffic.enablePermissiveTrafficPolicyMode";
        if (!isPermissive) {
            data.put("access", "closed");
            objects.done(item, field, "access: closed, so that nobody is let in who is not granted");
        } else if (hasTargets) {
            data.put("access", "audit");
            objects.note(
                    Outcome.APPROXIMATED,
                    item,
                    field,
                    "access: audit: everybody is let in, as before, and what the TrafficTargets would refuse is counted; OSM did not read them",
                    "write access: closed when 'tulle denied' shows nothing that should pass");
        } else {
            data.put("access", "open");
            objects.done(item, field, "access: open");
        }
        data.put("unmeshed", "deny");
        objects.done(item, "spec.traffic", "unmeshed: deny, as OSM let nobody in without a certificate");
        if (traffic.path("enableEgress").asBoolean()) {
            objects.done(item, "spec.traffic.enableEgress", "what is not in the mesh is passed on");
        } else {
            objects.note(
                    Outcome.UNSUPPORTED,
                    item,
                    "spec.traffic.enableEgress",
                    "Tulle does not keep anybody from calling what is not in the mesh",
                    "write a NetworkPolicy for what may leave");
        }
        exclude(item, traffic, "inboundPortExclusionList", "skip-inbound-ports", known);
        exclude(item, traffic, "outboundPortExclusionList", "skip-outbound-ports", known);
        exclude(item, traffic, "outboundIPRangeExclusionList", "skip-outbound-cidrs", known);
    }

    /** A list that holds for the whole mesh becomes an annotation of each namespace that is in it. */
    private void exclude(Item item, JsonNode traffic, String name, String word, Set<String> known) {
        String field = "spec.traffic." + name;
        known.add(field);
        List<String> entries = new ArrayList<>();
        traffic.path(name).forEach(entry -> entries.add(entry.asText()));
        if (!entries.isEmpty()) {
            onNamespaces(item, field, word, String.join(",", entries));
        }
    }

    private void onNamespaces(Item item, String field, String word, String value) {
        if (meshed.isEmpty()) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    item,
                    field,
                    "no Namespace of the mesh is among the manifests",
                    "write the annotation config.tulle.dev/%s: \"%s\" on each".formatted(word, value));
            return;
        }
        boolean isSaid = false;
        for (Item namespace : meshed) {
            isSaid |= pods.tune(namespace, namespace.value, "metadata.annotations", word, value, "");
        }
        objects.note(
                isSaid ? Outcome.DONE : Outcome.UNSUPPORTED,
                item,
                field,
                isSaid
                        ? "annotation config.tulle.dev/%s: \"%s\" on every Namespace of the mesh".formatted(word, value)
                        : "config.tulle.dev/%s cannot say \"%s\"".formatted(word, value),
                isSaid ? "" : "write a value that fits on each Namespace");
    }

    private void sidecar(Item item, JsonNode sidecar, Set<String> known) {
        String level = LOG_LEVELS.getOrDefault(sidecar.path("logLevel").asText(), "");
        if (!level.isEmpty()) {
            known.add("spec.sidecar.logLevel");
            onNamespaces(item, "spec.sidecar.logLevel", "proxy-log-level", level);
        }
        for (List<String> each : List.of(
                List.of("requests", "cpu", "proxy-cpu-request"),
                List.of("limits", "cpu", "proxy-cpu-limit"),
                List.of("requests", "memory", "proxy-memory-request"),
                List.of("limits", "memory", "proxy-memory-limit"))) {
            JsonNode value = sidecar.path("resources").path(each.get(0)).path(each.get(1));
            String field = "spec.sidecar.resources.%s.%s".formatted(each.get(0), each.get(1));
            if (value.isValueNode()) {
                known.add(field);
                onNamespaces(item, field, each.get(2), value.asText());
            }
        }
    }

    /** Paths of all values in a tree that nobody has spoken of. */
    private static List<String> leaves(JsonNode tree, String path, Set<String> known) {
        List<String> leaves = new ArrayList<>();
        tree.properties().forEach(field -> {
            String here = path + "." + field.getKey();
            boolean isUsual = field.getValue().isNull()
                    || field.getValue().asText().equals("0s")
                    || (field.getValue().has("enable")
                            && !field.getValue().path("enable").asBoolean())
                    || (field.getValue().isBoolean() && !field.getValue().asBoolean())
                    || (field.getValue().isContainerNode() && field.getValue().isEmpty());
            if (known.contains(here) || isUsual) {
                return;
            }
            if (field.getValue().isObject() && !field.getValue().has("enable")) {
                leaves.addAll(leaves(field.getValue(), here, known));
            } else {
                leaves.add(here);
            }
        });
        return leaves;
    }

    private void retries() {
        for (Item item : objects.ofKind(POLICY, "Retry")) {
            JsonNode spec = item.value.path("spec");
            JsonNode policy = spec.path("retryPolicy");
            List<String> on = new ArrayList<>();
            List<String> lost = new ArrayList<>();
            for (String word : policy.path("retryOn").asText().split("[,\\s]+", -1)) {
                (RETRY_WORDS.contains(word) ? on : lost).add(word);
            }
            lost.remove("");
            for (int i = 0; i < spec.path("destinations").size(); i++) {
                JsonNode destination = spec.path("destinations").path(i);
                String namespace = destination.path("namespace").asText(item.namespace());
                String service = destination.path("name").asText();
                String difference =
                        "it holds for every caller, not for %s alone, and only for methods that may be sent twice"
                                .formatted(spec.at("/source/name").asText());
                String most = policy.path("numRetries").asText("1");
                services.write(item, "spec.retryPolicy.numRetries", namespace, service, "retries", most, difference);
                if (!on.isEmpty()) {
                    services.write(
                            item, "spec.retryPolicy.retryOn", namespace, service, "retry-on", String.join(",", on), "");
                }
                String perTry = policy.path("perTryTimeout").asText("");
                if (!perTry.isEmpty()) {
                    services.write(
                            item, "spec.retryPolicy.perTryTimeout", namespace, service, "timeout-per-try", perTry, "");
                }
            }
            if (!lost.isEmpty()) {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "spec.retryPolicy.retryOn",
                        "Tulle does not know %s".formatted(String.join(", ", lost)),
                        "choose from install/resilience.md");
            }
            if (policy.has("retryBackoffBaseInterval")) {
                objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "spec.retryPolicy.retryBackoffBaseInterval",
                        "the waits before retries are fixed: at random up to 25 ms, 50 ms and so on to 400 ms",
                        "");
            }
            item.leaveOut();
            objects.done(item, "", "is left out: annotations of the called Services are in its place");
        }
    }

    private void upstreams() {
        for (Item item : objects.ofKind(POLICY, "UpstreamTrafficSetting")) {
            JsonNode spec = item.value.path("spec");
            String[] host = spec.path("host").asText().split("\\.", -1);
            String service = host[0];
            String namespace = host.length > 1 ? host[1] : item.namespace();
            Set<String> known = new TreeSet<>(List.of("spec.host"));
            number(item, spec, "connectionSettings.tcp.maxConnections", namespace, service, "max-connections", known);
            number(item, spec, "connectionSettings.http.maxRequests", namespace, service, "max-requests", known);
            number(item, spec, "connectionSettings.http.maxPendingRequests", namespace, service, "max-pending", known);
            JsonNode local = spec.path("rateLimit").path("local");
            boolean isHttp = local.has("http");
            JsonNode limit = isHttp ? local.path("http") : local.path("tcp");
            String path = "spec.rateLimit.local." + (isHttp ? "http" : "tcp");
            String unit = UNITS.getOrDefault(limit.path("unit").asText(), "");
            if (!unit.isEmpty()) {
                int most = limit.path(isHttp ? "requests" : "connections").asInt();
                int burst = most + limit.path("burst").asInt();
                known.addAll(List.of(path + ".requests", path + ".connections", path + ".unit", path + ".burst"));
                services.write(
                        item,
                        path,
                        namespace,
                        service,
                        "rate-limit",
                        "%d/%s burst %d".formatted(most, unit, burst),
                        "it is counted for each caller by itself, not for all together");
            }
            noteTheRest(item, spec, known, "see install/resilience.md for what a Service may ask for");
            item.leaveOut();
            objects.done(item, "", "is left out: annotations of the called Service are in its place");
        }
    }

    /** What of a spec nothing was made of. */
    private void noteTheRest(Item item, JsonNode spec, Set<String> known, String cure) {
        leaves(spec, "spec", known)
                .forEach(field -> objects.note(Outcome.UNSUPPORTED, item, field, "Tulle has no such setting", cure));
    }

    private void number(
            Item item, JsonNode spec, String path, String namespace, String service, String key, Set<String> known) {
        JsonNode value = spec.at("/" + path.replace('.', '/'));
        if (value.isNumber()) {
            known.add("spec." + path);
            services.write(item, "spec." + path, namespace, service, key, value.asText(), "");
        }
    }

    private void egress() {
        for (Item item : objects.ofKind(POLICY, "Egress")) {
            item.leaveOut();
            objects.note(
                    Outcome.APPROXIMATED,
                    item,
                    "spec",
                    "is left out: what it allows (%s) passes, and so does everything else that is not in the mesh"
                            .formatted(listed(item.value.path("spec"))),
                    "write a NetworkPolicy for what may leave");
        }
    }

    private static String listed(JsonNode spec) {
        List<String> all = new ArrayList<>();
        spec.path("hosts").forEach(host -> all.add(host.asText()));
        spec.path("ipAddresses").forEach(address -> all.add(address.asText()));
        spec.path("ports").forEach(port -> all.add("port " + port.path("number").asText()));
        return String.join(", ", all);
    }

    /** Callers from outside the mesh: who has an identity is granted by it; others cannot be told apart. */
    private void ingress() {
        for (Item item : objects.ofKind(POLICY, "IngressBackend")) {
            JsonNode spec = item.value.path("spec");
            List<String> principals = new ArrayList<>();
            boolean hasPlain = false;
            for (JsonNode source : spec.path("sources")) {
                if (source.path("kind").asText().equals("AuthenticatedPrincipal")) {
                    principals.add(source.path("name").asText());
                } else {
                    hasPlain = true;
                }
            }
            for (int i = 0; i < spec.path("backends").size(); i++) {
                JsonNode backend = spec.path("backends").path(i);
                String field = "spec.backends[%d]".formatted(i);
                Optional<Item> service = objects.find(
                        "", "Service", item.namespace(), backend.path("name").asText());
                List<Item> makers = service.map(
                                found -> objects.makersOf(item.namespace(), found.value.at("/spec/selector")))
                        .orElse(List.of());
                if (makers.isEmpty()) {
                    objects.note(
                            Outcome.UNSUPPORTED,
                            item,
                            field,
                            "the pods of Service %s/%s are not among the manifests"
                                    .formatted(
                                            item.namespace(),
                                            backend.path("name").asText()),
                            "write the annotation tulle.dev/unmeshed: always on their template, or put the ingress into the mesh");
                    continue;
                }
                if (hasPlain) {
                    makers.forEach(maker -> unmeshed(item, field, maker));
                }
            }
            if (!principals.isEmpty()) {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "spec.sources",
                        "certificates of %s, which are not of the mesh, are not asked for"
                                .formatted(String.join(", ", principals)),
                        "put the ingress into the mesh and name its service account in a TrafficTarget's sources");
            }
            item.leaveOut();
            objects.note(Outcome.APPROXIMATED, item, "", "is left out", "");
        }
    }

    private void unmeshed(Item item, String field, Item maker) {
        ObjectNode annotations = Objects.annotations(maker.template().orElse(maker.value));
        annotations.put("tulle.dev/unmeshed", "always");
        objects.note(
                Outcome.APPROXIMATED,
                item,
                field,
                "annotation tulle.dev/unmeshed: always on the pods of %s: whoever has no identity may call every port of them, not only the sources named here"
                        .formatted(maker),
                "write a NetworkPolicy for who may reach them, or put the ingress into the mesh");
        objects.done(maker, "metadata.annotations.tulle.dev/unmeshed", "\"always\", as %s asked".formatted(item));
    }

    /** Kinds of OSM's own without a counterpart, and what carries OSM's words elsewhere. */
    private void others() {
        Map<String, String> cures = Map.of(
                "MeshRootCertificate",
                "Tulle makes a root of its own; for an issuer of cert-manager write Secret tulle-system/tulle-issuer (kubernetes.io/tls)",
                "Telemetry",
                "the proxies' numbers are at :15890/metrics; there is no access log by selector",
                "ExtensionService",
                "there is no external authorization",
                "MultiClusterService",
                "there is one cluster");
        for (Item item : objects.all()) {
            if (item.group().endsWith("openservicemesh.io")) {
                item.leaveOut();
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "",
                        "is left out: Tulle has no such kind",
                        cures.getOrDefault(item.kind(), "see the README for what there is"));
            } else if (item.template().isEmpty()) {
                for (String mapping : List.of("annotations", "labels")) {
                    for (String key : keys(item.value.at("/metadata/" + mapping))) {
                        if (key.startsWith(PREFIX)) {
                            objects.note(
                                    Outcome.UNSUPPORTED,
                                    item,
                                    "metadata.%s.%s".formatted(mapping, key),
                                    "Tulle has no such word; it stays and says nothing",
                                    "remove it");
                        }
                    }
                }
            }
            serverFirst(item);
        }
    }

    private void serverFirst(Item item) {
        if (item.kind().equals("Service") && item.value.at("/spec/ports") instanceof ArrayNode ports) {
            for (int i = 0; i < ports.size(); i++) {
                if (ports.path(i).path("appProtocol").asText().equals("tcp-server-first")) {
                    objects.done(
                            item,
                            "spec.ports[%d].appProtocol".formatted(i),
                            "is read as opaque TCP, whoever speaks first");
                }
            }
        }
    }
}
