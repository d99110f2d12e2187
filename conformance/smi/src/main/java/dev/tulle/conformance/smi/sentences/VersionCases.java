package dev.tulle.conformance.smi.sentences;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import dev.tulle.conformance.smi.harness.Stage;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Objects written in one version of their API, and read and written back in every other.
 *
 * <p>What is compared is what the user wrote: everything beside {@code metadata} and {@code status}, and the labels.
 */
@Group(value = "versions", traffic = false)
final class VersionCases {
    @RegisterExtension
    static final Stage STAGE = Stage.of("versions");

    private static final List<String> FOUR = List.of("v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final YAMLMapper YAML = new YAMLMapper();

    // TrafficSplit

    @Case(
            id = "split-unchanged",
            says =
                    "A split that is written in a version is the same when it is read in it: weights in their own words, backends in their order, nothing added.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void splitsAreAsWritten(String version) {
        splits(version).forEach(body -> write(Kind.SPLIT, version, body));
    }

    @Case(
            id = "split-in-every-version",
            says =
                    "A split can be read in every other version, with the same Services in the same order and weights of the same proportions.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void splitsAreReadInEveryVersion(String version) {
        splits(version).forEach(body -> readInEveryVersion(Kind.SPLIT, version, body));
    }

    @Case(
            id = "split-written-back",
            says = "A client of another version that writes back what it read changes nothing for those of the first.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void splitsSurviveOtherClients(String version) {
        splits(version).forEach(body -> writeBackInEveryVersion(Kind.SPLIT, version, body));
    }

    @Case(
            id = "split-whole-numbers-stay",
            says =
                    "Weights that are whole numbers are the same numbers in every version: 0 and 100 are written as quantities and read as 0 and 100.",
            api = "TrafficSplit",
            versions = {"v1alpha1"})
    void wholeNumbersStay(String version) {
        write(
                Kind.SPLIT,
                version,
                "spec: {service: shop, backends: [{service: canary, weight: \"0\"}, {service: primary, weight: \"100\"}]}");
        for (String other : List.of("v1alpha2", "v1alpha3", "v1alpha4")) {
            assertThat(backendsOf(read(Kind.SPLIT, other)))
                    .as("in %s", other)
                    .isEqualTo(json("[{service: canary, weight: 0}, {service: primary, weight: 100}]"));
        }
    }

    @Case(
            id = "split-new-weights-win",
            says = "Weights that a client of another version writes are what those of the first version read.",
            api = "TrafficSplit",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void newWeightsWin(String version) {
        String first = version.equals("v1alpha1")
                ? "[{service: a, weight: 500m}, {service: b, weight: 1500m}]"
                : "[{service: a, weight: 5}, {service: b, weight: 15}]";
        for (String other : FOUR) {
            if (!other.equals(version)) {
                write(Kind.SPLIT, version, "spec: {service: shop, backends: %s}".formatted(first));
                STAGE.home()
                        .patch(
                                Kind.SPLIT.group + other,
                                Kind.SPLIT.name,
                                "written",
                                "spec: {backends: [{service: a, weight: 7}, {service: b, weight: 3}]}");
                assertThat(proportions(backendsOf(read(Kind.SPLIT, version))))
                        .as("in %s, written by %s", version, other)
                        .isEqualTo(Map.of("a", new BigDecimal("0.700000"), "b", new BigDecimal("0.300000")));
                remove(Kind.SPLIT, version);
            }
        }
    }

    private static List<String> splits(String version) {
        List<String> bodies = new ArrayList<>(
                List.of(
                        "spec: {service: shop, backends: [{service: b, weight: 75}, {service: a, weight: 25}]}",
                        "spec: {service: shop, backends: [{service: b, weight: 0}, {service: a, weight: 1}, {service: shop, weight: 1000000}]}"));
        if (version.equals("v1alpha1")) {
            bodies.add(
                    "spec: {service: shop, backends: [{service: c, weight: 10m}, {service: b, weight: 100m}, {service: a, weight: 1500m}]}");
            bodies.add(
                    "spec: {service: shop, backends: [{service: b, weight: \"1\"}, {service: a, weight: 500m}, {service: c, weight: 0m}]}");
            bodies.add("spec: {service: shop, backends: [{service: b, weight: \"0\"}, {service: a, weight: \"100\"}]}");
        }
        if (version.equals("v1alpha3") || version.equals("v1alpha4")) {
            bodies.add(
                    "spec: {service: shop, matches: [{kind: HTTPRouteGroup, name: x}, {kind: HTTPRouteGroup, name: y}], backends: [{service: b, weight: 0}, {service: a, weight: 100}]}");
        }
        return bodies;
    }

    // TrafficTarget

    @Case(
            id = "target-unchanged",
            says = "A target that is written in a version is the same when it is read in it.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void targetsAreAsWritten(String version) {
        targets(version).forEach(body -> write(Kind.TARGET, version, body));
    }

    @Case(
            id = "target-in-every-version",
            says = "A target can be read in every other version, with the same destination, port, rules and sources.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void targetsAreReadInEveryVersion(String version) {
        targets(version).forEach(body -> readInEveryVersion(Kind.TARGET, version, body));
    }

    @Case(
            id = "target-written-back",
            says = "A client of another version that writes back what it read changes nothing for those of the first.",
            api = "TrafficTarget",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3"})
    void targetsSurviveOtherClients(String version) {
        targets(version).forEach(body -> writeBackInEveryVersion(Kind.TARGET, version, body));
    }

    private static List<String> targets(String version) {
        String rules =
                "[{kind: TCPRoute, name: t}, {kind: HTTPRouteGroup, name: g, matches: [b, a]}, {kind: HTTPRouteGroup, name: h}]";
        String sources =
                "[{kind: ServiceAccount, name: x, namespace: other}, {kind: ServiceAccount, name: w, namespace: other}]";
        List<String> bodies = new ArrayList<>();
        List<String> ports = version.equals("v1alpha3")
                ? List.of("", ", port: \"9091\"", ", port: 9091")
                : List.of("", ", port: 9091");
        for (String port : ports) {
            String destination = "{kind: ServiceAccount, name: server, namespace: %s%s}"
                    .formatted(STAGE.home().name(), port);
            bodies.add(
                    version.equals("v1alpha1")
                            ? "{destination: %s, specs: %s, sources: %s}".formatted(destination, rules, sources)
                            : "spec: {destination: %s, rules: %s, sources: %s}".formatted(destination, rules, sources));
        }
        if (version.equals("v1alpha3")) {
            bodies.add(
                    "spec: {destination: {kind: ServiceAccount, name: server}, rules: [{kind: UDPRoute, name: u}], sources: [{kind: ServiceAccount, name: x}]}");
        }
        return bodies;
    }

    // HTTPRouteGroup

    @Case(
            id = "group-unchanged",
            says =
                    "A route group that is written in a version is the same when it is read in it, headers in the form they were written in, matches where they were.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void groupsAreAsWritten(String version) {
        groups(version).forEach(body -> write(Kind.GROUP, version, body));
    }

    @Case(
            id = "group-in-every-version",
            says = "A route group can be read in every other version, with the same entries.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void groupsAreReadInEveryVersion(String version) {
        groups(version).forEach(body -> readInEveryVersion(Kind.GROUP, version, body));
    }

    @Case(
            id = "group-written-back",
            says = "A client of another version that writes back what it read changes nothing for those of the first.",
            api = "HTTPRouteGroup",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void groupsSurviveOtherClients(String version) {
        groups(version).forEach(body -> writeBackInEveryVersion(Kind.GROUP, version, body));
    }

    private static List<String> groups(String version) {
        List<String> lists = new ArrayList<>(
                List.of(
                        "[{name: metrics, pathRegex: /metrics, methods: [GET]}, {name: health, pathRegex: /ping, methods: [\"*\"]}]"));
        if (!version.equals("v1alpha1")) {
            lists.add("[{name: a, headers: {user-agent: \".*Firefox.*\", cookie: \"^(.*?;)?(type=insider)(;.*)?$\"}}]");
            lists.add(
                    "[{name: a, headers: [{user-agent: \".*Firefox.*\"}, {cookie: x}]}, {name: b, pathRegex: /, methods: [PUT, PATCH]}]");
        }
        boolean atRoot = version.equals("v1alpha1") || version.equals("v1alpha2");
        List<String> bodies = new ArrayList<>();
        lists.forEach(list -> bodies.add(atRoot ? "matches: " + list : "spec: {matches: %s}".formatted(list)));
        if (!atRoot) {
            bodies.add("matches: [{name: old, pathRegex: /old, methods: [\"*\"]}]");
            bodies.add(
                    "{matches: [{name: old, pathRegex: /old, methods: [\"*\"]}], spec: {matches: [{name: new, pathRegex: /new, methods: [GET]}]}}");
        }
        return bodies;
    }

    // TCPRoute, UDPRoute

    @Case(
            id = "tcp-unchanged",
            says =
                    "A TCPRoute that is written in a version is the same when it is read in it: an empty list of ports stays one.",
            api = "TCPRoute",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void tcpRoutesAreAsWritten(String version) {
        tcpRoutes(version).forEach(body -> write(Kind.TCP, version, body));
    }

    @Case(
            id = "tcp-in-every-version",
            says = "A TCPRoute can be read in every other version; one without words for ports is for all of them.",
            api = "TCPRoute",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void tcpRoutesAreReadInEveryVersion(String version) {
        tcpRoutes(version).forEach(body -> readInEveryVersion(Kind.TCP, version, body));
    }

    @Case(
            id = "tcp-written-back",
            says = "A client of another version that writes back what it read changes nothing for those of the first.",
            api = "TCPRoute",
            versions = {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"})
    void tcpRoutesSurviveOtherClients(String version) {
        tcpRoutes(version).forEach(body -> writeBackInEveryVersion(Kind.TCP, version, body));
    }

    private static List<String> tcpRoutes(String version) {
        return switch (version) {
            case "v1alpha1", "v1alpha2" -> List.of("{}");
            case "v1alpha3" -> List.of("{}", "spec: {}");
            default -> List.of("spec: {matches: {ports: []}}", "spec: {matches: {ports: [8302, 8301]}}");
        };
    }

    @Case(
            id = "udp-unchanged",
            says = "A UDPRoute that is written is the same when it is read.",
            api = "UDPRoute",
            versions = {"v1alpha4"})
    void udpRoutesAreAsWritten(String version) {
        write(Kind.UDP, version, "spec: {matches: {ports: [989, 990]}}");
        write(Kind.UDP, version, "spec: {matches: {ports: []}}");
    }

    // What all have in common

    /** A kind, its group and the number of its newest version; UDPRoute has no older one. */
    private enum Kind {
        SPLIT("TrafficSplit", Objects.SPLIT, 4),
        TARGET("TrafficTarget", Objects.ACCESS, 3),
        GROUP("HTTPRouteGroup", Objects.SPECS, 4),
        TCP("TCPRoute", Objects.SPECS, 4),
        UDP("UDPRoute", Objects.SPECS, 4);

        private final String name;
        private final String group;
        private final int newest;

        Kind(String name, String group, int newest) {
            this.name = name;
            this.group = group;
            this.newest = newest;
        }

        List<String> versions() {
            return FOUR.subList(0, newest);
        }
    }

    /** Writes an object anew and holds that it is read as it was written. */
    private static JsonNode write(Kind kind, String version, String body) {
        remove(kind, version);
        JsonNode written = json(body);
        ObjectNode object =
                JSON.createObjectNode().put("apiVersion", kind.group + version).put("kind", kind.name);
        object.putObject("metadata").put("name", "written").putObject("labels").put("app", "shop");
        object.setAll((ObjectNode) written);
        STAGE.apply(object.toString());
        JsonNode read = read(kind, version);
        assertThat(bodyOf(read)).as("%s, as it was written", version).isEqualTo(written);
        return written;
    }

    private static void readInEveryVersion(Kind kind, String version, String body) {
        JsonNode written = write(kind, version, body);
        for (String other : kind.versions()) {
            JsonNode read = read(kind, other);
            String story = "written in %s as %s, read in %s as %s".formatted(version, written, other, bodyOf(read));
            assertThat(read.path("apiVersion").asText()).as(story).isEqualTo(kind.group + other);
            assertThat(read.at("/metadata/labels/app").asText()).as(story).isEqualTo("shop");
            assertThat(strange(kind, version, other, bodyOf(read)))
                    .as("%s: what %s has no words for", story, other)
                    .isEmpty();
            assertThat(meaning(kind, version, other, bodyOf(read)))
                    .as(story)
                    .isEqualTo(meaning(kind, version, other, written));
        }
    }

    private static void writeBackInEveryVersion(Kind kind, String version, String body) {
        JsonNode written = write(kind, version, body);
        for (String other : kind.versions()) {
            if (!other.equals(version)) {
                ObjectNode back = (ObjectNode) bodyOf(read(kind, other));
                // A label, for the API server writes nothing where nothing changed.
                back.putObject("metadata").putObject("labels").put("touched", other);
                STAGE.home().patch(kind.group + other, kind.name, "written", back.toString());
                JsonNode read = read(kind, version);
                assertThat(read.at("/metadata/labels/touched").asText()).isEqualTo(other);
                assertThat(bodyOf(read))
                        .as("in %s, after a client of %s wrote back %s", version, other, back)
                        .isEqualTo(written);
            }
        }
    }

    /** What is not in the form of this version: fields and values that its clients cannot read. */
    private static List<String> strange(Kind kind, String written, String version, JsonNode body) {
        List<String> strange = new ArrayList<>();
        switch (kind) {
            case SPLIT -> {
                for (JsonNode backend : backendsOf(body)) {
                    if (!version.equals("v1alpha1") && !backend.path("weight").isIntegralNumber()) {
                        strange.add("weight " + backend.path("weight"));
                    }
                }
                if (!hasMatches(version) && body.at("/spec").has("matches")) {
                    strange.add("spec.matches");
                }
            }
            case TARGET -> {
                for (String field : version.equals("v1alpha1")
                        ? List.of("spec", "rules")
                        : List.of("destination", "sources", "specs", "rules")) {
                    if (body.has(field)) {
                        strange.add(field);
                    }
                }
                if (!version.equals("v1alpha1") && body.at("/spec").has("specs")) {
                    strange.add("spec.specs");
                }
            }
            case GROUP -> {
                if (isRooted(version) && body.at("/spec").has("matches")) {
                    strange.add("spec.matches");
                }
                // Of a newer version's own clients some write them at the top, but none looks for them there.
                if (isRooted(written) && !isRooted(version) && body.has("matches")) {
                    strange.add("matches");
                }
            }
            case TCP, UDP -> {
                if (!version.equals("v1alpha4") && body.at("/spec").has("matches")) {
                    strange.add("spec.matches");
                }
            }
        }
        return strange;
    }

    /** Whether route groups of this version have their matches at the top. */
    private static boolean isRooted(String version) {
        return version.equals("v1alpha1") || version.equals("v1alpha2");
    }

    private static JsonNode read(Kind kind, String version) {
        return STAGE.home().read(kind.group + version, kind.name, "written");
    }

    private static void remove(Kind kind, String version) {
        if (STAGE.home().find(kind.group + version, kind.name, "written").isPresent()) {
            STAGE.home().delete(kind.group + version, kind.name, "written");
        }
    }

    private static JsonNode bodyOf(JsonNode object) {
        ObjectNode body = object.deepCopy();
        return body.without(Set.of("apiVersion", "kind", "metadata", "status"));
    }

    private static JsonNode backendsOf(JsonNode split) {
        return split.at("/spec/backends");
    }

    /** What a body says that both versions have words for, in a form that does not depend on the version. */
    private static Object meaning(Kind kind, String one, String other, JsonNode body) {
        JsonNode spec = body.path("spec");
        return switch (kind) {
            case SPLIT ->
                List.of(
                        spec.path("service"),
                        names(backendsOf(body)),
                        proportions(backendsOf(body)),
                        hasMatches(one) && hasMatches(other) ? spec.path("matches") : "");
            case TARGET -> {
                JsonNode inner = spec.isMissingNode() ? body : spec;
                ObjectNode destination = inner.path("destination").deepCopy();
                String port = destination.path("port").asText();
                yield List.of(
                        destination.without("port"),
                        port,
                        inner.has("specs") ? inner.path("specs") : inner.path("rules"),
                        inner.path("sources"));
            }
            case GROUP -> spec.has("matches") ? spec.path("matches") : body.path("matches");
            case TCP, UDP -> {
                JsonNode ports = spec.at("/matches/ports");
                if (one.equals("v1alpha4")) {
                    // Older ones have no words for ports.
                    yield other.equals(one) ? ports : "";
                }
                yield ports.isEmpty() ? "all" : ports;
            }
        };
    }

    private static boolean hasMatches(String version) {
        return version.equals("v1alpha3") || version.equals("v1alpha4");
    }

    private static List<String> names(JsonNode backends) {
        List<String> names = new ArrayList<>();
        backends.forEach(backend -> names.add(backend.path("service").asText()));
        return names;
    }

    /** Each backend's part of all weights, to six digits. */
    private static Map<String, BigDecimal> proportions(JsonNode backends) {
        BigDecimal total = BigDecimal.ZERO;
        for (JsonNode backend : backends) {
            total = total.add(weight(backend));
        }
        TreeMap<String, BigDecimal> parts = new TreeMap<>();
        for (JsonNode backend : backends) {
            parts.put(backend.path("service").asText(), weight(backend).divide(total, 6, RoundingMode.HALF_UP));
        }
        return parts;
    }

    /** A whole number, or a quantity such as {@code 500m}. */
    private static BigDecimal weight(JsonNode backend) {
        String text = backend.path("weight").asText();
        return text.endsWith("m")
                ? new BigDecimal(text.substring(0, text.length() - 1)).movePointLeft(3)
                : new BigDecimal(text);
    }

    private static JsonNode json(String yaml) {
        try {
            JsonNode parsed = YAML.readTree(yaml);
            assertThat(parsed.isObject() || parsed instanceof ArrayNode)
                    .as(yaml)
                    .isTrue();
            return parsed;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not YAML: " + yaml, e);
        }
    }
}
