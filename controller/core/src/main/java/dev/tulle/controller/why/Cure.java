package dev.tulle.controller.why;

import dev.tulle.controller.model.Workload;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.smi.HTTPRouteGroup;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes the objects that would let a refused call in, as YAML that can be applied as it is. */
final class Cure {
    private static final String METACHARACTERS = "\\.+*?()|[]{}^$";
    private static final int MAX_NAME = 200;

    private Cure() {}

    /**
     * A TrafficTarget and the routes it names: this caller, this port for an opaque connection, this method and path for a request.
     *
     * @param called one of the workloads that refuse; the target speaks for its service account
     * @param port the workload's own number
     * @param request method and normalised path; absent for an opaque connection
     */
    static String yaml(SpiffeId caller, Workload called, int port, Optional<Request> request) {
        String name = name(caller, called);
        String namespace = called.id().namespace();
        String routes = request.map(asked -> routeGroup(name, namespace, asked))
                .orElseGet(() -> tcpRoute(name, namespace, port));
        return routes
                + """
                ---
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata:
                  name: %s
                  namespace: %s
                spec:
                  destination:
                    kind: ServiceAccount
                    name: %s
                    namespace: %s
                  rules:
                  - kind: %s
                    name: %s
                  sources:
                  - kind: ServiceAccount
                    name: %s
                    namespace: %s
                """.formatted(
                                name,
                                namespace,
                                called.identity().serviceAccount(),
                                namespace,
                                request.isPresent() ? "HTTPRouteGroup" : "TCPRoute",
                                name,
                                caller.serviceAccount(),
                                caller.namespace());
    }

    /** A method and a normalised path. */
    record Request(String method, String path) {}

    private static String routeGroup(String name, String namespace, Request request) {
        // A method that SMI has no word for can only be allowed with all others.
        String methods = HTTPRouteGroup.METHODS.contains(request.method()) ? request.method() : "*";
        return """
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata:
                  name: %s
                  namespace: %s
                spec:
                  matches:
                  - name: asked
                    methods: ["%s"]
                    pathRegex: "%s"
                """.formatted(name, namespace, methods, quoted(exactly(request.path())));
    }

    private static String tcpRoute(String name, String namespace, int port) {
        return """
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: TCPRoute
                metadata:
                  name: %s
                  namespace: %s
                spec:
                  matches:
                    ports: [%d]
                """.formatted(name, namespace, port);
    }

    /** A name that no TrafficTarget of the workload has yet. */
    private static String name(SpiffeId caller, Workload called) {
        String namespace = called.id().namespace();
        String plain = called.identity().serviceAccount() + "-from-" + caller.serviceAccount()
                + (caller.namespace().equals(namespace) ? "" : "-" + caller.namespace());
        String base = plain.substring(0, Math.min(plain.length(), MAX_NAME)).replaceAll("[.-]+$", "");
        Set<String> taken =
                called.access().policy().grants().stream().map(Grant::target).collect(Collectors.toSet());
        String name = base;
        for (int number = 2; taken.contains(namespace + "/" + name); number++) {
            name = base + "-" + number;
        }
        return name;
    }

    private static String exactly(String path) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (METACHARACTERS.indexOf(c) >= 0) {
                regex.append('\\');
            }
            regex.append(c);
        }
        return regex.append('$').toString();
    }

    private static String quoted(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
