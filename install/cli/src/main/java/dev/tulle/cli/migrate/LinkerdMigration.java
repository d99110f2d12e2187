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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes Tulle's manifests of Linkerd's with its SMI extension: the splits stay, what Linkerd says elsewhere becomes labels, annotations and,
 * where it fits, TrafficTargets. Source: the field names of Linkerd's definitions and of linkerd-smi v0.2.
 */
public final class LinkerdMigration {
    private static final String INJECT = "linkerd.io/inject";
    private static final String CONFIG = "config.linkerd.io/";
    private static final String POLICY = "policy.linkerd.io";
    private static final String SKIP = "smi.linkerd.io/skip";

    private static final Map<String, String> POD_WORDS = Map.ofEntries(
            Map.entry(CONFIG + "skip-inbound-ports", "skip-inbound-ports"),
            Map.entry(CONFIG + "skip-outbound-ports", "skip-outbound-ports"),
            Map.entry(CONFIG + "skip-subnets", "skip-outbound-cidrs"),
            Map.entry(CONFIG + "opaque-ports", "opaque-ports"),
            Map.entry(CONFIG + "proxy-cpu-request", "proxy-cpu-request"),
            Map.entry(CONFIG + "proxy-cpu-limit", "proxy-cpu-limit"),
            Map.entry(CONFIG + "proxy-memory-request", "proxy-memory-request"),
            Map.entry(CONFIG + "proxy-memory-limit", "proxy-memory-limit"),
            Map.entry(CONFIG + "shutdown-grace-period", "shutdown-grace"),
            Map.entry("config.alpha.linkerd.io/proxy-wait-before-exit-seconds", "pre-stop-seconds"));
    private static final Pattern LEVEL = Pattern.compile("(?:^|[,=])(debug|info|warn|error)(?:$|,)");
    private static final Pattern IDENTITY =
            Pattern.compile("([a-z0-9.-]+)\\.([a-z0-9-]+)\\.serviceaccount\\.identity\\..*");

    private final Objects objects;
    private final ServiceWords services;
    private final PodWords pods;
    /** TCPRoutes that were written, by namespace and name. */
    private final Set<String> newRoutes = new TreeSet<>();

    private LinkerdMigration(Objects objects) {
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
        LinkerdMigration migration = new LinkerdMigration(objects);
        migration.words();
        migration.splits();
        migration.profiles();
        migration.authorizations();
        migration.others();
        return objects.migrated();
    }

    /** Labels and annotations, on whatever carries them. */
    private void words() {
        for (Item item : objects.all()) {
            Optional<ObjectNode> template = item.template();
            if (item.kind().equals("Namespace") || template.isEmpty()) {
                words(item, item.value, "");
            }
            template.ifPresent(pod -> words(item, pod, item.templatePrefix()));
        }
    }

    private void words(Item item, ObjectNode on, String prefix) {
        boolean hasPods = item.kind().equals("Namespace") || item.template().isPresent();
        if (hasPods) {
            Objects.take(on, "annotations", INJECT).ifPresent(value -> {
                String field = prefix + "metadata.annotations." + INJECT;
                switch (value) {
                    case "enabled" -> pods.inject(item, on, field, "enabled", "");
                    case "ingress" ->
                        pods.inject(
                                item,
                                on,
                                field,
                                "enabled",
                                "calls are routed by the address that is dialled, not by their authority");
                    default -> pods.inject(item, on, field, "disabled", "");
                }
            });
            defaultPolicy(item, on, prefix);
            Objects.take(on, "annotations", CONFIG + "proxy-log-level").ifPresent(value -> {
                Matcher level = LEVEL.matcher(value);
                String field = prefix + "metadata.annotations." + CONFIG + "proxy-log-level";
                if (level.find()) {
                    pods.tune(
                            item,
                            on,
                            field,
                            "proxy-log-level",
                            level.group(1),
                            "there is one level for all of the proxy");
                } else {
                    objects.note(
                            Outcome.UNSUPPORTED,
                            item,
                            field,
                            "'%s' has no level that Tulle knows".formatted(value),
                            "write config.tulle.dev/proxy-log-level: debug, info, warn or error");
                }
            });
        }
        POD_WORDS.keySet().stream().sorted().forEach(theirs -> {
            if (hasPods || theirs.endsWith("/opaque-ports")) {
                pods.translate(item, on, prefix, theirs, POD_WORDS.getOrDefault(theirs, ""));
            }
        });
        List<String> keys = new ArrayList<>();
        on.at("/metadata/annotations").fieldNames().forEachRemaining(keys::add);
        for (String key : keys) {
            if (key.contains("linkerd.io/") && !key.equals(SKIP)) {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        prefix + "metadata.annotations." + key,
                        "Tulle has no such word; it stays and says nothing",
                        "see install/injection.md for what there is");
            }
        }
    }

    private void defaultPolicy(Item item, ObjectNode on, String prefix) {
        Objects.take(on, "annotations", CONFIG + "default-inbound-policy").ifPresent(value -> {
            String field = prefix + "metadata.annotations." + CONFIG + "default-inbound-policy";
            ObjectNode annotations = Objects.annotations(on);
            switch (value) {
                case "all-unauthenticated" -> {
                    annotations.put("tulle.dev/unmeshed", "allow");
                    objects.done(item, field, "annotation tulle.dev/unmeshed: allow");
                }
                case "all-authenticated", "cluster-authenticated" -> {
                    annotations.put("tulle.dev/unmeshed", "deny");
                    objects.done(item, field, "annotation tulle.dev/unmeshed: deny");
                }
                case "deny" -> {
                    annotations.put("tulle.dev/access", "closed");
                    objects.done(item, field, "annotation tulle.dev/access: closed");
                }
                case "audit" -> {
                    annotations.put("tulle.dev/access", "audit");
                    objects.done(item, field, "annotation tulle.dev/access: audit");
                }
                default ->
                    objects.note(
                            Outcome.UNSUPPORTED,
                            item,
                            field,
                            "'%s' tells callers apart by their networks, which Tulle does not".formatted(value),
                            "write tulle.dev/unmeshed: allow or deny, and a NetworkPolicy");
            }
        });
    }

    private void splits() {
        for (Item item : objects.ofKind("split.smi-spec.io", "TrafficSplit")) {
            objects.done(
                    item,
                    "",
                    "holds as it is, in version "
                            + item.value.path("apiVersion").asText());
            skip(item);
        }
    }

    private void skip(Item item) {
        Objects.take(item.value, "annotations", SKIP)
                .ifPresent(value -> objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "metadata.annotations." + SKIP,
                        "is left out: Tulle has no ServiceProfiles to keep apart from splits; a TrafficSplit holds where it is",
                        "delete the TrafficSplit if it should not hold"));
    }

    private void profiles() {
        for (Item item : objects.ofKind("linkerd.io", "ServiceProfile")) {
            String[] host = item.name().split("\\.", -1);
            String service = host[0];
            String namespace = host.length > 1 ? host[1] : item.namespace();
            skip(item);
            overrides(item, namespace, service);
            routes(item, namespace, service);
            JsonNode budget = item.value.at("/spec/retryBudget");
            if (budget.isObject()) {
                objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "spec.retryBudget",
                        "retries are at most a fifth of the requests and ten a second beside; here it was %s and %s"
                                .formatted(
                                        budget.path("retryRatio").asText(),
                                        budget.path("minRetriesPerSecond").asText()),
                        "");
            }
            item.leaveOut();
            objects.done(
                    item,
                    "",
                    "is left out: what it says is on Service %s/%s or in a TrafficSplit".formatted(namespace, service));
        }
    }

    /** What the SMI extension wrote comes from a split, which is there; what somebody wrote becomes one. */
    private void overrides(Item item, String namespace, String service) {
        JsonNode overrides = item.value.at("/spec/dstOverrides");
        if (overrides.isEmpty()) {
            return;
        }
        Optional<Item> split = objects.ofKind("split.smi-spec.io", "TrafficSplit").stream()
                .filter(each -> each.namespace().equals(namespace)
                        && each.value
                                .at("/spec/service")
                                .asText()
                                .split("\\.", -1)[0]
                                .equals(service))
                .findFirst();
        if (split.isPresent()) {
            objects.done(item, "spec.dstOverrides", "is left out: the SMI extension made it of " + split.get());
            return;
        }
        for (JsonNode override : overrides) {
            String[] authority = override.path("authority").asText().split("[.:]", -1);
            if (authority.length < 2 || !authority[1].equals(namespace)) {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "spec.dstOverrides",
                        "'%s' is no Service of namespace %s, as a TrafficSplit needs"
                                .formatted(override.path("authority").asText(), namespace),
                        "write a TrafficSplit of Services of one namespace");
                return;
            }
        }
        ObjectNode spec = objects.add("split.smi-spec.io/v1alpha1", "TrafficSplit", namespace, service)
                .putObject("spec");
        spec.put("service", service);
        ArrayNode backends = spec.putArray("backends");
        overrides.forEach(override -> backends.addObject()
                .put("service", override.path("authority").asText().split("\\.", -1)[0])
                .put("weight", override.path("weight").asText("1")));
        objects.done(item, "spec.dstOverrides", "TrafficSplit %s/%s".formatted(namespace, service));
    }

    private void routes(Item item, String namespace, String service) {
        Set<String> timeouts = new TreeSet<>();
        Set<String> methods = new TreeSet<>();
        boolean hasRetries = false;
        JsonNode routes = item.value.at("/spec/routes");
        for (int i = 0; i < routes.size(); i++) {
            JsonNode route = routes.path(i);
            String field = "spec.routes[%d]".formatted(i);
            if (route.has("timeout")) {
                timeouts.add(route.path("timeout").asText());
            }
            if (route.path("isRetryable").asBoolean()) {
                hasRetries = true;
                String method = route.at("/condition/method").asText("");
                if (!method.isEmpty()
                        && !Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
                                .contains(method)) {
                    methods.add(method);
                }
            }
            if (route.has("responseClasses")) {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        field + ".responseClasses",
                        "a failure is an answer of 500 and above, or a failed gRPC call",
                        "let the application answer so");
            }
        }
        if (timeouts.size() == 1) {
            services.write(
                    item,
                    "spec.routes[].timeout",
                    namespace,
                    service,
                    "timeout",
                    timeouts.iterator().next(),
                    "it holds for every request of the Service, not for some routes");
        } else if (timeouts.size() > 1) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    item,
                    "spec.routes[].timeout",
                    "its routes have the timeouts %s, and a Service of Tulle has one"
                            .formatted(String.join(", ", timeouts)),
                    "write tulle.dev/timeout on Service %s/%s with the longest that is bearable"
                            .formatted(namespace, service));
        }
        if (hasRetries) {
            services.write(
                    item,
                    "spec.routes[].isRetryable",
                    namespace,
                    service,
                    "retries",
                    "1",
                    "it holds for every request of the Service that may be sent twice, not for some routes");
            services.write(item, "spec.routes[].isRetryable", namespace, service, "retry-on", "5xx", "");
            if (!methods.isEmpty()) {
                services.write(
                        item,
                        "spec.routes[].condition.method",
                        namespace,
                        service,
                        "retry-methods",
                        String.join(",", methods),
                        "it holds for every request of the Service with that method");
            }
        }
    }

    /** Servers and who may call them: a TrafficTarget where pods, port and callers can be named as it names them. */
    private void authorizations() {
        for (Item item : objects.ofKind(POLICY, "ServerAuthorization")) {
            JsonNode spec = item.value.path("spec");
            JsonNode client = spec.path("client");
            Set<String> sources = new TreeSet<>();
            for (JsonNode account : client.at("/meshTLS/serviceAccounts")) {
                sources.add(account.path("namespace").asText(item.namespace()) + "/"
                        + account.path("name").asText());
            }
            String reason = identities(client.at("/meshTLS/identities"), sources);
            if (client.path("unauthenticated").asBoolean()
                    || client.at("/meshTLS/unauthenticatedTLS").asBoolean()) {
                reason = "callers without identity cannot be granted by themselves";
            } else if (client.has("networks")) {
                reason = "callers are not told apart by their networks";
            } else if (sources.isEmpty() && reason.isEmpty()) {
                reason = "it names no caller";
            }
            grant(item, spec.at("/server/name").asText(), sources, reason);
        }
        for (Item item : objects.ofKind(POLICY, "AuthorizationPolicy")) {
            JsonNode spec = item.value.path("spec");
            Set<String> sources = new TreeSet<>();
            String reason = spec.at("/targetRef/kind").asText().equals("Server")
                    ? ""
                    : "it speaks of a %s, not of a Server"
                            .formatted(spec.at("/targetRef/kind").asText());
            if (spec.path("requiredAuthenticationRefs").size() > 1) {
                reason = "it asks for several authentications at once";
            }
            for (JsonNode reference : spec.path("requiredAuthenticationRefs")) {
                String namespace = reference.path("namespace").asText(item.namespace());
                String name = reference.path("name").asText();
                switch (reference.path("kind").asText()) {
                    case "ServiceAccount" -> sources.add(namespace + "/" + name);
                    case "MeshTLSAuthentication" -> {
                        Optional<Item> found = objects.find(POLICY, "MeshTLSAuthentication", namespace, name);
                        JsonNode authentication =
                                found.map(each -> each.value.path("spec")).orElseGet(() -> item.value.objectNode());
                        String unknown = identities(authentication.path("identities"), sources);
                        for (JsonNode identity : authentication.path("identityRefs")) {
                            if (identity.path("kind").asText().equals("ServiceAccount")) {
                                sources.add(identity.path("namespace").asText(namespace) + "/"
                                        + identity.path("name").asText());
                            } else {
                                unknown = "whole namespaces cannot be sources";
                            }
                        }
                        reason = found.isEmpty()
                                ? "MeshTLSAuthentication %s/%s is not among the manifests".formatted(namespace, name)
                                : unknown.isEmpty() ? reason : unknown;
                    }
                    default -> reason = "callers are not told apart by their networks";
                }
            }
            if (sources.isEmpty() && reason.isEmpty()) {
                reason = "it names no caller";
            }
            grant(item, spec.at("/targetRef/name").asText(), sources, reason);
        }
    }

    /** Adds the service accounts of identities; what cannot be said of them, or nothing. */
    private static String identities(JsonNode identities, Set<String> sources) {
        for (JsonNode identity : identities) {
            Matcher parts = IDENTITY.matcher(identity.asText());
            if (!parts.matches()) {
                return "'%s' is not one service account".formatted(identity.asText());
            }
            sources.add(parts.group(2) + "/" + parts.group(1));
        }
        return "";
    }

    private void grant(Item item, String serverName, Set<String> sources, String obstacle) {
        String reason = obstacle;
        Optional<Item> server = objects.find(POLICY, "Server", item.namespace(), serverName);
        List<Item> makers = server.map(
                        found -> objects.makersOf(item.namespace(), found.value.at("/spec/podSelector/matchLabels")))
                .orElse(List.of());
        Set<String> accounts = new TreeSet<>();
        Set<Integer> ports = new TreeSet<>();
        for (Item maker : makers) {
            JsonNode pod = maker.template().orElse(maker.value).path("spec");
            accounts.add(pod.path("serviceAccountName").asText("default"));
            port(pod, server.get().value.at("/spec/port")).ifPresent(ports::add);
        }
        if (reason.isEmpty() && server.isEmpty()) {
            reason = "Server %s/%s is not among the manifests".formatted(item.namespace(), serverName);
        } else if (reason.isEmpty() && (makers.isEmpty() || ports.isEmpty())) {
            reason = "the pods of Server %s/%s, or its port in them, are not among the manifests"
                    .formatted(item.namespace(), serverName);
        } else if (reason.isEmpty() && accounts.size() > 1) {
            reason = "the pods of its Server run under several service accounts: " + String.join(", ", accounts);
        }
        item.leaveOut();
        if (!reason.isEmpty()) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    item,
                    "spec",
                    "is left out: " + reason,
                    "write a TrafficTarget for what is meant; 'tulle denied' prints those that are missing");
            return;
        }
        String account = accounts.iterator().next();
        String namespace = item.namespace();
        if (objects.find("specs.smi-spec.io", "TCPRoute", namespace, serverName).isEmpty()
                && newRoutes.add(namespace + "/" + serverName)) {
            ArrayNode list = objects.add("specs.smi-spec.io/v1alpha4", "TCPRoute", namespace, serverName)
                    .putObject("spec")
                    .putObject("matches")
                    .putArray("ports");
            ports.forEach(list::add);
        }
        ObjectNode spec = objects.add("access.smi-spec.io/v1alpha3", "TrafficTarget", namespace, item.name())
                .putObject("spec");
        spec.putObject("destination")
                .put("kind", "ServiceAccount")
                .put("name", account)
                .put("namespace", namespace);
        spec.putArray("rules").addObject().put("kind", "TCPRoute").put("name", serverName);
        ArrayNode callers = spec.putArray("sources");
        for (String source : sources) {
            callers.addObject()
                    .put("kind", "ServiceAccount")
                    .put("name", source.substring(source.indexOf('/') + 1))
                    .put("namespace", source.substring(0, source.indexOf('/')));
        }
        objects.note(
                Outcome.APPROXIMATED,
                item,
                "spec",
                "TrafficTarget %s/%s; it closes every other port of service account %s, too, and all its pods"
                        .formatted(namespace, item.name(), account),
                "grant the other ports that are called");
    }

    private static Optional<Integer> port(JsonNode pod, JsonNode port) {
        if (port.isIntegralNumber()) {
            return Optional.of(port.intValue());
        }
        for (JsonNode container : pod.path("containers")) {
            for (JsonNode declared : container.path("ports")) {
                if (declared.path("name").asText().equals(port.asText())) {
                    return Optional.of(declared.path("containerPort").asInt());
                }
            }
        }
        return Optional.empty();
    }

    private void others() {
        for (Item item : objects.all()) {
            boolean isPolicy = item.group().equals(POLICY);
            if (!isPolicy && !item.group().endsWith("linkerd.io")) {
                continue;
            }
            item.leaveOut();
            if (isPolicy && Set.of("Server", "MeshTLSAuthentication").contains(item.kind())) {
                objects.note(
                        Outcome.APPROXIMATED,
                        item,
                        "",
                        "is left out: what names it says what became of it; by itself it closes nothing any more",
                        item.kind().equals("Server")
                                ? "write tulle.dev/access: closed on pods that nobody may call"
                                : "");
            } else {
                objects.note(
                        Outcome.UNSUPPORTED,
                        item,
                        "",
                        "is left out: Tulle has no such kind",
                        isPolicy
                                ? "write TrafficTargets and HTTPRouteGroups for what is meant"
                                : "see the README for what there is");
            }
        }
    }
}
