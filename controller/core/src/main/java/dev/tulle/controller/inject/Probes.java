package dev.tulle.controller.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns probes that the redirect would spoil into questions to the proxy.
 *
 * <p>A TCP probe would always find a listener, the proxy's; an HTTPS probe is TLS of the application's own, in which a closed workload
 * cannot tell the kubelet from anyone. Both go to the proxy's admin port, which asks the application in the kubelet's stead. HTTP and gRPC
 * probes stay: the controller declares their port and path, and the proxy lets these through. Exec probes never touch the network.
 */
final class Probes {
    /** Field of a container to the last word of the path on the proxy. */
    private static final Map<String, String> KINDS =
            Map.of("readinessProbe", "readyz", "livenessProbe", "livez", "startupProbe", "startupz");

    private static final List<String> FIELDS = List.of("startupProbe", "readinessProbe", "livenessProbe");

    /** Path on the proxy's admin port, before container and kind. */
    static final String PATH = "/app-health/";

    private Probes() {}

    /** Whether the kubelet reaches this probe's port through the redirect, to no avail. */
    private static boolean isSpoilt(JsonNode probe) {
        JsonNode tcp = probe.path("tcpSocket");
        JsonNode http = probe.path("httpGet");
        boolean isTcp = tcp.isObject() && tcp.path("host").asText().isEmpty();
        boolean isHttps = http.path("scheme").asText().equals("HTTPS")
                && http.path("host").asText().isEmpty();
        return isTcp || isHttps;
    }

    /** What keeps a container's probes from being turned. */
    static void check(PodView pod, JsonNode container, List<String> problems) {
        for (String field : FIELDS) {
            JsonNode probe = container.path(field);
            if (isSpoilt(probe) && port(container, handler(probe)).isEmpty()) {
                problems.add(
                        "%s of container %s of %s asks port %s, which is neither a number nor the name of one of its ports: write the number, or name the port under 'ports'"
                                .formatted(
                                        field,
                                        container.path("name").asText(),
                                        pod,
                                        handler(probe).path("port")));
            }
        }
    }

    /**
     * Turns the probes of one container.
     *
     * @param asked takes what the proxy has to ask: {@code container/kind} to handler and timeout, shaped as in a pod, ports as numbers
     */
    static void turn(ObjectNode container, ObjectNode asked) {
        for (String field : FIELDS) {
            if (container.get(field) instanceof ObjectNode probe && isSpoilt(probe)) {
                String kind = "%s/%s".formatted(container.path("name").asText(), KINDS.get(field));
                ObjectNode question = asked.putObject(kind);
                ObjectNode handler = handler(probe).deepCopy();
                port(container, handler).ifPresent(port -> handler.put("port", port));
                question.set(probe.has("tcpSocket") ? "tcpSocket" : "httpGet", handler);
                question.put(
                        "timeoutSeconds",
                        Math.max(1, probe.path("timeoutSeconds").asInt(1)));
                probe.remove(List.of("tcpSocket", "httpGet"));
                probe.set(
                        "httpGet",
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("path", PATH + kind)
                                .put("port", SidecarContainers.ADMIN_PORT)
                                .put("scheme", "HTTP"));
            }
        }
    }

    /** Turns the probes of one container back to what the proxy was told to ask. */
    static void turnBack(JsonNode container, JsonNode asked) {
        for (String field : FIELDS) {
            String kind = "%s/%s".formatted(container.path("name").asText(), KINDS.get(field));
            if (container.get(field) instanceof ObjectNode probe
                    && probe.path("httpGet").path("path").asText().equals(PATH + kind)
                    && asked.get(kind) instanceof ObjectNode question) {
                probe.remove("httpGet");
                for (String handler : List.of("tcpSocket", "httpGet")) {
                    if (question.has(handler)) {
                        probe.set(handler, question.get(handler));
                    }
                }
            }
        }
    }

    private static JsonNode handler(JsonNode probe) {
        return probe.has("tcpSocket") ? probe.path("tcpSocket") : probe.path("httpGet");
    }

    private static Optional<Integer> port(JsonNode container, JsonNode handler) {
        JsonNode port = handler.path("port");
        if (port.isIntegralNumber()) {
            return Optional.of(port.intValue());
        }
        for (JsonNode named : container.path("ports")) {
            if (named.path("name").isTextual()
                    && named.path("name").textValue().equals(port.asText())
                    && named.path("containerPort").isIntegralNumber()) {
                return Optional.of(named.path("containerPort").intValue());
            }
        }
        return port.asText().matches("[1-9]\\d{0,4}") ? Optional.of(Integer.parseInt(port.asText())) : Optional.empty();
    }
}
