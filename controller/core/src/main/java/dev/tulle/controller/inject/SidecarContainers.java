package dev.tulle.controller.inject;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** The containers and volumes that make a pod a meshed one. */
final class SidecarContainers {
    static final String REDIRECT = "tulle-redirect";
    static final String PROXY = "tulle-proxy";
    static final String IDENTITY_VOLUME = "tulle-identity";
    static final String TOKEN_VOLUME = "tulle-token";
    static final String TRUST_VOLUME = "tulle-trust";
    static final String TEMPORARY_VOLUME = "tulle-tmp";
    static final List<String> VOLUMES = List.of(IDENTITY_VOLUME, TOKEN_VOLUME, TRUST_VOLUME, TEMPORARY_VOLUME);

    static final int OUTBOUND_PORT = 15801;
    static final int INBOUND_PORT = 15806;
    static final int ADMIN_PORT = 15890;
    static final int LOCAL_ADMIN_PORT = 15891;

    /** User and group of the proxy; the redirect lets pass what this group sends. */
    static final int ID = 15015;

    /** Holds what the proxy asks in the kubelet's stead; see {@link Probes}. */
    static final String APP_HEALTH = "TULLE_APP_HEALTH";

    private static final JsonMapper JSON = new JsonMapper();
    private static final String TOKEN_FOLDER = "/var/run/secrets/tulle.dev";
    private static final String TRUST_FOLDER = "/var/run/tulle/trust";
    private static final String IDENTITY_FOLDER = "/var/run/tulle/identity";
    private static final int TOKEN_SECONDS = 3600;
    private static final int START_SECONDS = 600;

    private SidecarContainers() {}

    /** Rewrites the pod's network rules before anything else runs in it, then ends. */
    static ObjectNode redirect(Tuning tuning, InjectSettings settings) {
        ObjectNode container = container(REDIRECT, settings);
        ArrayNode args = container.putArray("args");
        args.add("redirect");
        args.add("--inbound-port=" + INBOUND_PORT);
        args.add("--outbound-port=" + OUTBOUND_PORT);
        args.add("--proxy-gid=" + ID);
        List<String> inbound = new ArrayList<>(List.of(String.valueOf(ADMIN_PORT)));
        inbound.addAll(tuning.skipInboundPorts());
        list(args, "--skip-inbound-ports", inbound.stream().distinct().toList());
        list(args, "--skip-outbound-ports", tuning.skipOutboundPorts());
        list(args, "--skip-outbound-cidrs", tuning.skipOutboundCidrs());
        resources(container, tuning);
        ObjectNode security = container
                .putObject("securityContext")
                .put("runAsUser", 0)
                .put("runAsGroup", 0)
                .put("runAsNonRoot", false);
        confined(security).withArray("add").add("NET_ADMIN").add("NET_RAW");
        container.put("terminationMessagePolicy", "FallbackToLogsOnError");
        mount(container, TEMPORARY_VOLUME, "/tmp", false);
        return container;
    }

    /** The proxy, as a sidecar that starts before the application's containers and ends after them. */
    static ObjectNode proxy(Tuning tuning, InjectSettings settings, ObjectNode askedHealth) {
        ObjectNode container = container(PROXY, settings);
        ArrayNode args = container.putArray("args");
        args.add("--redirected");
        args.add("--controller=" + settings.controller());
        args.add("--workload=$(POD_NAMESPACE)/$(POD_NAME)");
        args.add("--token-file=" + TOKEN_FOLDER + "/token");
        args.add("--trust-file=" + TRUST_FOLDER + "/trust.json");
        args.add("--identity-dir=" + IDENTITY_FOLDER);
        args.add("--admin=:" + ADMIN_PORT);
        args.add("--drain-timeout=%ds".formatted(tuning.drainSeconds()));
        tuning.logLevel().ifPresent(level -> args.add("--log-level=" + level));
        list(args, "--metrics", tuning.metrics());
        tuning.concurrency().ifPresent(loops -> args.add("--concurrency=" + loops));
        ArrayNode environment = container.putArray("env");
        fromField(environment, "POD_NAMESPACE", "metadata.namespace");
        fromField(environment, "POD_NAME", "metadata.name");
        if (!askedHealth.isEmpty()) {
            // A literal $( would be taken for a variable.
            environment
                    .addObject()
                    .put("name", APP_HEALTH)
                    .put("value", askedHealth.toString().replace("$(", "$$("));
        }
        container
                .putArray("ports")
                .addObject()
                .put("name", "tulle-admin")
                .put("containerPort", ADMIN_PORT)
                .put("protocol", "TCP");
        container.put("restartPolicy", "Always");
        probe(container, "startupProbe", "/readyz")
                .put("periodSeconds", 1)
                .put("failureThreshold", START_SECONDS)
                .put("timeoutSeconds", 2);
        probe(container, "readinessProbe", "/readyz")
                .put("periodSeconds", 5)
                .put("failureThreshold", 2)
                .put("timeoutSeconds", 2);
        probe(container, "livenessProbe", "/livez")
                .put("periodSeconds", 10)
                .put("failureThreshold", 3)
                .put("timeoutSeconds", 5);
        resources(container, tuning);
        confined(container
                .putObject("securityContext")
                .put("runAsUser", ID)
                .put("runAsGroup", ID)
                .put("runAsNonRoot", true));
        container.put("terminationMessagePolicy", "FallbackToLogsOnError");
        mount(container, IDENTITY_VOLUME, IDENTITY_FOLDER, false);
        mount(container, TOKEN_VOLUME, TOKEN_FOLDER, true);
        mount(container, TRUST_VOLUME, TRUST_FOLDER, true);
        mount(container, TEMPORARY_VOLUME, "/tmp", false);
        return container;
    }

    /** What a proxy's container was told to ask; see {@link Probes}. */
    static JsonNode askedHealth(JsonNode proxy) {
        for (JsonNode variable : proxy.path("env")) {
            if (variable.path("name").asText().equals(APP_HEALTH)) {
                try {
                    return JSON.readTree(variable.path("value").asText().replace("$$(", "$("));
                } catch (JsonProcessingException e) {
                    break;
                }
            }
        }
        return JsonNodeFactory.instance.objectNode();
    }

    /** The volumes of both, in the order of {@link #VOLUMES}. Those in memory do not keep a node from being scaled down. */
    static List<ObjectNode> volumes() {
        ObjectNode token = volume(TOKEN_VOLUME);
        token.putObject("projected")
                .putArray("sources")
                .addObject()
                .putObject("serviceAccountToken")
                .put("audience", "tulle.dev")
                .put("expirationSeconds", TOKEN_SECONDS)
                .put("path", "token");
        ObjectNode trust = volume(TRUST_VOLUME);
        trust.putObject("configMap").put("name", TRUST_VOLUME);
        return List.of(inMemory(IDENTITY_VOLUME, "1Mi"), token, trust, inMemory(TEMPORARY_VOLUME, "32Mi"));
    }

    private static ObjectNode container(String name, InjectSettings settings) {
        ObjectNode container =
                JsonNodeFactory.instance.objectNode().put("name", name).put("image", settings.image());
        settings.pullPolicy().ifPresent(policy -> container.put("imagePullPolicy", policy));
        return container;
    }

    private static void list(ArrayNode args, String option, List<String> values) {
        if (!values.isEmpty()) {
            args.add("%s=%s".formatted(option, String.join(",", values)));
        }
    }

    private static void fromField(ArrayNode environment, String name, String field) {
        environment
                .addObject()
                .put("name", name)
                .putObject("valueFrom")
                .putObject("fieldRef")
                .put("fieldPath", field);
    }

    private static ObjectNode probe(ObjectNode container, String field, String path) {
        ObjectNode probe = container.putObject(field);
        probe.putObject("httpGet").put("path", path).put("port", ADMIN_PORT);
        return probe;
    }

    /** Limits, too: a namespace with a quota on memory takes no container without. */
    private static void resources(ObjectNode container, Tuning tuning) {
        ObjectNode resources = container.putObject("resources");
        resources.putObject("requests").put("cpu", tuning.cpuRequest()).put("memory", tuning.memoryRequest());
        ObjectNode limits = resources.putObject("limits");
        tuning.cpuLimit().ifPresent(cpu -> limits.put("cpu", cpu));
        limits.put("memory", tuning.memoryLimit());
    }

    /** Without any right but those added to the capabilities that are given back. */
    private static ObjectNode confined(ObjectNode security) {
        security.put("allowPrivilegeEscalation", false)
                .put("privileged", false)
                .put("readOnlyRootFilesystem", true)
                .putObject("seccompProfile")
                .put("type", "RuntimeDefault");
        ObjectNode capabilities = security.putObject("capabilities");
        capabilities.putArray("drop").add("ALL");
        return capabilities;
    }

    private static void mount(ObjectNode container, String volume, String path, boolean readOnly) {
        ObjectNode mount = container.withArray("volumeMounts").addObject();
        mount.put("name", volume).put("mountPath", path);
        if (readOnly) {
            mount.put("readOnly", true);
        }
    }

    private static ObjectNode volume(String name) {
        return JsonNodeFactory.instance.objectNode().put("name", name);
    }

    private static ObjectNode inMemory(String name, String most) {
        ObjectNode volume = volume(name);
        volume.putObject("emptyDir").put("medium", "Memory").put("sizeLimit", most);
        return volume;
    }
}
