package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The controller may do what it does, and nothing else.
 *
 * <p>What it asks for is read from the API server's audit log, from a first installation through everything it has rights for; what it may
 * from its roles. A request by server-side apply that makes its object counts as {@code create} too, as the API server checks it.
 */
@Tag("cluster")
@Isolated("it changes what all others use")
class RightsTest {
    private static final String ACCOUNT = "system:serviceaccount:tulle-system:tulle-controller";
    private static final Duration SOON = Duration.ofMinutes(1);
    private static final int CREATED = 201;
    private static final int FORBIDDEN = 403;

    private static List<JsonNode> asked = List.of();

    /** One thing that may be done; an empty name means any. */
    private record Right(String namespace, String group, String resource, String verb, String name) {
        /** Whether somebody who has this right may ask for that. */
        boolean covers(Right request) {
            return (namespace.isEmpty() || namespace.equals(request.namespace))
                    && group.equals(request.group)
                    && resource.equals(request.resource)
                    && verb.equals(request.verb)
                    && (name.isEmpty() || name.equals(request.name));
        }

        @Override
        public String toString() {
            return "%s %s%s%s%s"
                    .formatted(
                            verb,
                            resource,
                            group.isEmpty() ? "" : "." + group,
                            name.isEmpty() ? "" : " " + name,
                            namespace.isEmpty() ? "" : " in " + namespace);
        }
    }

    @BeforeAll
    static void doAllThereIsToDo() {
        Tulle.uninstall().succeeded();
        int before = auditLog().size();
        Tulle.install();
        Place system = Tulle.system();
        Place place = Place.create("rights", Map.of());
        place.apply("pair.yaml");
        // A grant by a rule that is not there is told of as an Event.
        place.applyText("""
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: nothing}
                spec:
                  destination: {kind: ServiceAccount, name: nobody}
                  sources: [{kind: ServiceAccount, name: somebody}]
                  rules: [{kind: HTTPRouteGroup, name: missing}]
                """);
        place.awaitRollout("deployment/web");
        await(
                "an Event",
                () -> place.value("events", ".items[*].involvedObject.name").contains("nothing"));
        askAboutAPodThatDoesNotAsk();
        // What somebody broke is made good.
        system.kubectl("patch", "secret", "tulle-webhook", "-p", "{\"data\": {\"tls.crt\": \"\"}}")
                .succeeded();
        await(
                "another certificate",
                () -> !system.value("secret/tulle-webhook", ".data.tls\\.crt").isEmpty());
        // The next leader tells of the same again, and keeps the authority as it was.
        String leader = Tulle.leader().path("metadata").path("name").asText();
        system.kubectl("delete", "pod", leader).succeeded();
        Tulle.awaitWorking();
        await(
                "the same Event again",
                () -> place.value("events", ".items[?(@.involvedObject.name==\"nothing\")].count")
                        .matches(".*[2-9].*"));
        renewTheRoot(system);
        // A namespace that leaves the mesh needs no trust any more.
        Place leaving = Place.create("rights-leaving", Map.of());
        await("trust", () -> leaving.kubectl("get", "configmap", "tulle-trust").code() == 0);
        leaving.kubectl("label", "namespace", leaving.name(), "tulle.dev/inject-")
                .succeeded();
        await(
                "no trust",
                () -> leaving.kubectl("get", "configmap", "tulle-trust").code() != 0);
        leaving.close();
        // Numbers for somebody who is not all-powerful.
        Tulle.applyTrafficMetrics().succeeded();
        Tulle.awaitTrafficMetrics();
        place.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--serviceaccount=rights:default")
                .succeeded();
        await(
                "numbers for a viewer",
                () -> Tulle.raw(
                                        "/apis/metrics.smi-spec.io/v1alpha1/namespaces/rights/pods",
                                        "--as=system:serviceaccount:rights:default")
                                .code()
                        == 0);
        place.close();
        asked = auditLog().stream()
                .skip(before)
                .filter(line -> line.at("/user/username").asText().equals(ACCOUNT))
                .toList();
    }

    @AfterAll
    static void end() {
        Tulle.deleteTrafficMetrics().succeeded();
        Tulle.system().kubectl("delete", "configmap", "tulle-settings", "--ignore-not-found");
    }

    @Test
    void itAsksForNothingThatItMayNot() {
        assertThat(asked).hasSizeGreaterThan(50);
        assertThat(asked.stream()
                        .filter(line -> line.at("/responseStatus/code").asInt() == FORBIDDEN)
                        // Whatever it may: nothing is made in a namespace that ends.
                        .filter(line ->
                                !line.at("/responseStatus/message").asText().contains("being terminated"))
                        .map(line -> requests(line).getFirst() + ": "
                                + line.at("/responseStatus/message").asText())
                        .distinct())
                .isEmpty();
    }

    @Test
    void itMayNothingThatItDoesNotAskFor() throws IOException {
        Set<String> idle = new TreeSet<>();
        List<Right> requests = asked.stream()
                .flatMap(line -> requests(line).stream())
                .distinct()
                .toList();
        for (Right right : rights()) {
            if (requests.stream().noneMatch(right::covers)) {
                idle.add(right.toString());
            }
        }
        assertThat(idle).isEmpty();
    }

    @Test
    void whoViewsANamespaceReadsItsSmiObjectsAndWhoEditsItWritesThem() {
        Right write = new Right("", "split.smi-spec.io", "trafficsplits", "create", "");
        Right read = new Right("", "split.smi-spec.io", "trafficsplits", "list", "");
        await("rights that are handed on", () -> rights("", "edit").containsAll(List.of(read, write)));
        assertThat(rights("", "view")).contains(read).doesNotContain(write);
    }

    /** What the roles of the installed manifests say. */
    private static List<Right> rights() {
        List<Right> rights = new ArrayList<>();
        rights.addAll(rights("", Tulle.CONTROLLER));
        rights.addAll(rights(Tulle.NAMESPACE, Tulle.CONTROLLER));
        assertThat(rights).hasSizeGreaterThan(20);
        rights.addAll(rights("", "tulle-traffic-metrics"));
        rights.addAll(rights("kube-system", "tulle-traffic-metrics"));
        return rights;
    }

    /** What a role says; without a namespace of the whole cluster. */
    private static List<Right> rights(String namespace, String role) {
        List<Right> rights = new ArrayList<>();
        JsonNode rules = Place.existing(namespace.isEmpty() ? Tulle.NAMESPACE : namespace)
                .kubectl("get", namespace.isEmpty() ? "clusterrole" : "role", role, "-o", "json")
                .succeeded()
                .json()
                .path("rules");
        assertThat(rules).as(role).isNotEmpty();
        for (JsonNode rule : rules) {
            List<String> names = texts(rule.path("resourceNames"));
            for (String group : texts(rule.path("apiGroups"))) {
                for (String resource : texts(rule.path("resources"))) {
                    for (String verb : texts(rule.path("verbs"))) {
                        for (String name : names.isEmpty() ? List.of("") : names) {
                            rights.add(new Right(namespace, group, resource, verb, name));
                        }
                    }
                }
            }
        }
        return rights;
    }

    /** What one line of the audit log asked for. */
    private static List<Right> requests(JsonNode line) {
        JsonNode object = line.path("objectRef");
        String subresource = object.path("subresource").asText();
        List<Right> requests = new ArrayList<>();
        List<String> verbs = new ArrayList<>(List.of(line.path("verb").asText()));
        if (verbs.getFirst().equals("patch") && line.at("/responseStatus/code").asInt() == CREATED) {
            verbs.add("create");
        }
        for (String verb : verbs) {
            requests.add(new Right(
                    object.path("namespace").asText(),
                    object.path("apiGroup").asText(),
                    object.path("resource").asText(line.path("requestURI").asText())
                            + (subresource.isEmpty() ? "" : "/" + subresource),
                    verb,
                    object.path("name").asText()));
        }
        return requests;
    }

    private static List<JsonNode> auditLog() {
        Path log = Path.of(
                Place.run(List.of(System.getenv("CL") + "/status", "-o", "json"), "")
                        .succeeded()
                        .json()
                        .path("logs")
                        .asText(),
                "audit.log");
        try (var lines = Files.lines(log)) {
            return lines.filter(line -> line.endsWith("}"))
                    .map(RightsTest::json)
                    .toList();
        } catch (IOException e) {
            throw new AssertionError("the API server keeps no audit log", e);
        }
    }

    private static JsonNode json(String line) {
        try {
            return Place.JSON.readTree(line);
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    /** As when the API server knows of a namespace's label a moment before the controller does: it looks itself. */
    private static void askAboutAPodThatDoesNotAsk() {
        String address = Tulle.system().value("service/tulle-webhook", ".spec.clusterIP");
        Place.Output answer = Place.run(
                List.of(
                        "curl",
                        "--silent",
                        "--insecure",
                        "--max-time",
                        "10",
                        "--json",
                        "@-",
                        "https://" + address + "/inject"),
                """
                {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                  "uid": "1", "operation": "CREATE", "namespace": "default", "resource": {"group": "", "version": "v1", "resource": "pods"},
                  "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": {
                    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain", "namespace": "default"},
                    "spec": {"containers": [{"name": "app", "image": "tulle.test/app:1"}]}}}}
                """);
        assertThat(answer.succeeded().json().at("/response/allowed").asBoolean())
                .as(answer.text())
                .isTrue();
    }

    private static void renewTheRoot(Place system) {
        String before = system.value("secret/tulle-authority", ".metadata.resourceVersion");
        system.applyText("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data: {root-generation: "2"}
                """);
        await(
                "another authority",
                () -> !system.value("secret/tulle-authority", ".metadata.resourceVersion")
                        .equals(before));
    }

    private static void await(String what, java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await(what).atMost(SOON).pollInterval(Duration.ofMillis(500)).until(condition);
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(one -> texts.add(one.asText()));
        return texts;
    }
}
