package dev.tulle.conformance.smi.sentences;

import java.util.Arrays;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** SMI objects as YAML documents, each in whichever version of its API is asked for. */
final class Objects {
    static final String SPLIT = "split.smi-spec.io/";
    static final String ACCESS = "access.smi-spec.io/";
    static final String SPECS = "specs.smi-spec.io/";

    private Objects() {}

    /** A TrafficSplit; {@code backends} are Service and weight in turn, in the weights' own words. */
    static String split(String version, String name, String root, Object... backends) {
        return matchedSplit(version, name, root, "", backends);
    }

    /** The same for those requests that one of some route groups matches; no groups, no {@code matches}. */
    static String matchedSplit(String version, String name, String root, String groups, Object... backends) {
        StringJoiner list = new StringJoiner(", ", "[", "]");
        for (int i = 0; i < backends.length; i += 2) {
            list.add("{service: %s, weight: %s}".formatted(backends[i], backends[i + 1]));
        }
        String matches = Arrays.stream(groups.split(","))
                .map(String::strip)
                .filter(group -> !group.isEmpty())
                .map("{kind: HTTPRouteGroup, name: %s}"::formatted)
                .collect(Collectors.joining(", "));
        return """
                ---
                apiVersion: split.smi-spec.io/%s
                kind: TrafficSplit
                metadata: {name: %s}
                spec:
                  service: %s
                  backends: %s
                """.formatted(version, name, root, list)
                + (matches.isEmpty() ? "" : "  matches: [%s]\n".formatted(matches));
    }

    /**
     * A TrafficTarget for the service account {@code destination} of its own namespace.
     *
     * @param rules as the items of a YAML list, see {@link #routes} and {@link #ports}
     * @param sources service accounts, {@code name} of the same namespace or {@code namespace/name}
     */
    static String target(String version, String name, String destination, String rules, String... sources) {
        return targetOn(version, name, serviceAccount(destination), rules, sources);
    }

    /** The same with the destination in words of its own. */
    static String targetOn(String version, String name, String destination, String rules, String... sources) {
        String subjects = Arrays.stream(sources).map(Objects::serviceAccount).collect(Collectors.joining(", "));
        String body = """
                destination: %s
                %s: [%s]
                sources: [%s]
                """.formatted(destination, version.equals("v1alpha1") ? "specs" : "rules", rules, subjects);
        return """
                ---
                apiVersion: access.smi-spec.io/%s
                kind: TrafficTarget
                metadata: {name: %s}
                """.formatted(version, name) + (version.equals("v1alpha1") ? body : "spec:\n" + body.indent(2));
    }

    /** A subject: {@code name} of the object's own namespace, which is named all the same, or {@code namespace/name}. */
    static String serviceAccount(String who) {
        String namespace = who.contains("/") ? who.substring(0, who.indexOf('/')) : "@NAMESPACE@";
        return "{kind: ServiceAccount, name: %s, namespace: %s}"
                .formatted(who.substring(who.indexOf('/') + 1), namespace);
    }

    /** A rule that names a route group, and some of its entries. */
    static String routes(String group, String... entries) {
        return entries.length == 0
                ? "{kind: HTTPRouteGroup, name: %s}".formatted(group)
                : "{kind: HTTPRouteGroup, name: %s, matches: [%s]}".formatted(group, String.join(", ", entries));
    }

    /** A rule that names a TCPRoute. */
    static String ports(String route) {
        return "{kind: TCPRoute, name: %s}".formatted(route);
    }

    /** Two or more rules, for {@link #target}. */
    static String rules(String... rules) {
        return String.join(", ", rules);
    }

    /** An HTTPRouteGroup; each of {@code entries} is a YAML flow mapping. */
    static String group(String version, String name, String... entries) {
        String matches = "matches: [%s]\n".formatted(String.join(", ", entries));
        boolean atRoot = version.equals("v1alpha1") || version.equals("v1alpha2");
        return """
                ---
                apiVersion: specs.smi-spec.io/%s
                kind: HTTPRouteGroup
                metadata: {name: %s}
                """.formatted(version, name) + (atRoot ? matches : "spec:\n" + matches.indent(2));
    }

    /** A TCPRoute; without ports it is for all of them. Only v1alpha4 has words for ports. */
    static String tcp(String version, String name, int... ports) {
        String spec = switch (version) {
            case "v1alpha1", "v1alpha2" -> "";
            case "v1alpha3" -> "spec: {}\n";
            default -> "spec: {matches: {ports: %s}}\n".formatted(Arrays.toString(ports));
        };
        return """
                ---
                apiVersion: specs.smi-spec.io/%s
                kind: TCPRoute
                metadata: {name: %s}
                """.formatted(version, name) + spec;
    }

    /** What lets {@code sources} do everything with {@code destination}: in HTTP by one target, in TCP by another. */
    static String everything(String destination, String... sources) {
        return group("v1alpha4", "everything", "{name: all, pathRegex: \".*\", methods: [\"*\"]}")
                + tcp("v1alpha4", "everything")
                + target("v1alpha3", "everything-http", destination, routes("everything"), sources)
                + target("v1alpha3", "everything-tcp", destination, ports("everything"), sources);
    }
}
