package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/** SMI's TrafficMetrics API says what the applications counted, to whom may see it, and stands in nobody's way. */
@Tag("cluster")
@Isolated("it changes what all others use")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TrafficMetricsTest {
    private static final String GROUP = "metrics.smi-spec.io/v1alpha1";
    private static final String NAMESPACE = "traffic-metrics";
    private static final String VIEWER = "--as=system:serviceaccount:%s:client".formatted(NAMESPACE);
    private static final String STRANGER = "--as=system:serviceaccount:%s:v1".formatted(NAMESPACE);
    private static final Duration SOON = Duration.ofSeconds(90);

    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create(NAMESPACE, Map.of(), true);
        Tulle.applyTrafficMetrics().succeeded();
        place.apply("traffic-metrics.yaml");
        place.awaitRollout("deployment/client");
        place.awaitRollout("deployment/web-v1");
        place.awaitRollout("deployment/web-v2");
        Tulle.awaitTrafficMetrics();
    }

    @AfterAll
    static void end() {
        Tulle.deleteTrafficMetrics().succeeded();
        place.close();
    }

    @Test
    @Order(1)
    void theNumbersAreThoseThatTheApplicationsCounted() {
        // Given
        String client = place.podOf("app=client");
        JsonNode good = place.app(client, "load", "--rate=100", "--seconds=4", "http://web/short")
                .succeeded()
                .json();
        JsonNode bad = place.app(client, "load", "--rate=20", "--seconds=1", "http://web-v1/status/503")
                .json();
        int v1 = good.at("/versions/v1").asInt();
        int v2 = good.at("/versions/v2").asInt();
        int failed = bad.path("kinds").path("status 503").asInt();
        assertThat(good.path("failed").asInt()).isZero();
        assertThat(v1).isGreaterThan(v2).isGreaterThan(200);
        assertThat(failed).isEqualTo(bad.path("sent").asInt()).isGreaterThan(10);
        // Then: all of it, as soon as a window holds both loads whole
        Awaitility.await("all numbers").atMost(SOON).untilAsserted(() -> {
            assertThat(counts("namespaces/" + NAMESPACE + "/deployments"))
                    .isEqualTo("client=0/0, web-v1=%d/%d, web-v2=%d/0", v1, failed, v2);
            assertThat(metrics(get("namespaces/" + NAMESPACE))).isEqualTo("%d/%d", v1 + v2, failed);
            assertThat(counts("namespaces/" + NAMESPACE + "/services"))
                    .isEqualTo("web=%d/0, web-v1=0/%d, web-v2=0/0", v1 + v2, failed);
            assertThat(list(
                            "namespaces/" + NAMESPACE + "/trafficsplits/canary",
                            item -> item.path("backend") + " " + metrics(item)))
                    .isEqualTo(
                            "{\"apex\":\"web\",\"name\":\"web-v1\",\"weight\":3} %d/0, {\"apex\":\"web\",\"name\":\"web-v2\",\"weight\":1} %d/0",
                            v1, v2);
            for (String pod : place.podsOf("app=web")) {
                assertThat(get("namespaces/%s/pods/%s".formatted(NAMESPACE, pod))
                                .at("/metrics/3/value")
                                .asInt())
                        .as(pod)
                        .isEqualTo(good.path("pods").path(pod).asInt());
            }
            assertThat(edges("deployments/client"))
                    .isEqualTo("to client Deployment web-v1 %d/%d, to client Deployment web-v2 %d/0", v1, failed, v2);
            assertThat(edges("deployments/web-v1")).isEqualTo("from server Deployment client %d/%d", v1, failed);
            assertThat(edges("services/web")).isEqualTo("from client Deployment client %d/0", v1 + v2);
            assertThat(list("namespaces/" + NAMESPACE + "/edges", TrafficMetricsTest::edge))
                    .isEqualTo(
                            "from server Namespace %1$s %2$d/%3$d, to client Namespace %1$s %2$d/%3$d",
                            NAMESPACE, v1 + v2, failed);
        });
        JsonNode latencies =
                get("namespaces/" + NAMESPACE + "/deployments/web-v2").path("metrics");
        assertThat(latencies.at("/0/name").asText()).isEqualTo("p99_response_latency");
        assertThat(latencies.at("/0/value").asText()).matches("[1-9][0-9]*m");
    }

    @Test
    @Order(2)
    void whatTheClientMayViewItMaySeeAndNothingElse() {
        String own = "namespaces/" + NAMESPACE + "/deployments";
        raw(own, VIEWER).succeeded();
        raw(own + "/web-v1/edges", VIEWER).succeeded();
        raw("namespaces/" + NAMESPACE + "/edges", VIEWER).succeeded();
        for (Place.Output refused : List.of(
                raw("deployments", VIEWER),
                raw("namespaces/kube-system/pods", VIEWER),
                raw("nodes", VIEWER),
                raw(own, STRANGER))) {
            assertThat(refused.code()).isNotZero();
            assertThat(refused.err()).contains("Forbidden");
        }
        assertThat(raw("namespaces/%s/deployments/nobody".formatted(NAMESPACE)).err())
                .contains("NotFound");
    }

    @Test
    @Order(3)
    void whoDoesNotAskThroughTheApiServerIsToldNothing() {
        String address = Tulle.system().value("service/tulle-traffic-metrics", ".spec.clusterIP");
        Place.Output answer = Place.run(
                List.of(
                        "curl",
                        "--silent",
                        "--insecure",
                        "--max-time",
                        "10",
                        "--header",
                        "X-Remote-User: admin",
                        "--header",
                        "X-Remote-Group: system:masters",
                        "https://%s/apis/%s/namespaces".formatted(address, GROUP)),
                "");
        assertThat(answer.succeeded().json().path("code").asInt()).isEqualTo(401);
    }

    @Test
    @Order(4)
    void kubectlKnowsItAndEverythingElseMeansWhatItMeant() {
        assertThat(place.kubectl("api-resources", "--api-group=metrics.smi-spec.io", "-o", "name")
                        .succeeded()
                        .out())
                .contains("deployments.metrics.smi-spec.io", "trafficsplits.metrics.smi-spec.io");
        Place.Output all =
                place.kubectl("api-resources", "--verbs=list", "-o", "name").succeeded();
        assertThat(all.err()).isEmpty();
        assertThat(place.kubectl("get", "deployments,pods,trafficsplits", "-o", "name")
                        .succeeded()
                        .out())
                .contains("deployment.apps/web-v1", "trafficsplit.split.smi-spec.io/canary")
                .doesNotContain("metrics.smi-spec.io");
        assertThat(counts("namespaces/" + NAMESPACE + "/deployments?labelSelector=version"))
                .startsWith("web-v1=")
                .contains("web-v2=")
                .doesNotContain("client");
        assertThat(Place.run(
                                List.of(
                                        "kubectl",
                                        "delete",
                                        "--raw",
                                        "/apis/%s/namespaces/%s/deployments/web-v1".formatted(GROUP, NAMESPACE)),
                                "")
                        .err())
                .contains("MethodNotAllowed");
    }

    @Test
    @Order(5)
    void applyingItAgainChangesNothing() {
        String versions = versions();
        assertThat(Tulle.system().value("apiservice/v1alpha1.metrics.smi-spec.io", ".spec.caBundle"))
                .isNotEmpty();

        Tulle.applyTrafficMetrics().succeeded();

        assertThat(versions()).isEqualTo(versions);
    }

    private static String versions() {
        return Place.run(
                        List.of(
                                "kubectl",
                                "get",
                                "-f",
                                Tulle.trafficMetrics().toString(),
                                "-o",
                                "jsonpath={range .items[*]}{.kind} {.metadata.resourceVersion} {end}"),
                        "")
                .succeeded()
                .out();
    }

    @Test
    @Order(6)
    void namespacesAreDeletedAsBefore() {
        Place.create("traffic-metrics-short", Map.of(), false).close();

        awaitGone("traffic-metrics-short");
    }

    @Test
    @Order(7)
    void withoutAnyControllerDeletionsWaitForOneAndGoOn() {
        // Given
        Place waiting = Place.create("traffic-metrics-waiting", Map.of(), false);
        // When
        Tulle.scale(0);
        try {
            Awaitility.await("the API server knows that nobody serves it")
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(Tulle.system()
                                    .value(
                                            "apiservice/v1alpha1.metrics.smi-spec.io",
                                            ".status.conditions[?(@.type==\"Available\")].status"))
                            .isEqualTo("False"));
            assertThat(raw("namespaces").err()).contains("ServiceUnavailable");
            waiting.close();
            // Then: it says why it waits, and applications do not
            Awaitility.await("what holds it up")
                    .atMost(SOON)
                    .untilAsserted(() -> assertThat(waiting.value(
                                    "namespace/" + waiting.name(),
                                    ".status.conditions[?(@.type==\"NamespaceDeletionDiscoveryFailure\")].status"))
                            .isEqualTo("True"));
            place.app(place.podOf("app=client"), "get", "http://web/short").succeeded();
        } finally {
            Tulle.scale(2);
        }
        awaitGone(waiting.name());
        Tulle.awaitTrafficMetrics();
    }

    private static void awaitGone(String namespace) {
        Awaitility.await(namespace + " is gone")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(Tulle.system()
                                .kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name")
                                .succeeded()
                                .out())
                        .isEmpty());
    }

    private static Place.Output raw(String path, String... more) {
        return Tulle.raw("/apis/" + GROUP + "/" + path, more);
    }

    private static JsonNode get(String path) {
        return raw(path).succeeded().json();
    }

    private static String list(String path, Function<JsonNode, String> told) {
        return StreamSupport.stream(get(path).path("items").spliterator(), false)
                .map(told)
                .collect(Collectors.joining(", "));
    }

    private static String counts(String path) {
        return list(path, item -> item.at("/metadata/name").asText() + "=" + metrics(item));
    }

    private static String edges(String of) {
        return list("namespaces/%s/%s/edges".formatted(NAMESPACE, of), TrafficMetricsTest::edge);
    }

    private static String edge(JsonNode item) {
        return "%s %s %s %s %s"
                .formatted(
                        item.at("/edge/direction").asText(),
                        item.at("/edge/side").asText(),
                        item.at("/edge/resource/kind").asText(),
                        item.at("/edge/resource/name").asText(),
                        metrics(item));
    }

    /** Successes and failures. */
    private static String metrics(JsonNode item) {
        assertThat(new TreeSet<>(item.path("metrics").findValuesAsText("name")))
                .containsExactly(
                        "failure_count",
                        "p50_response_latency",
                        "p90_response_latency",
                        "p99_response_latency",
                        "success_count");
        return item.at("/metrics/3/value").asText() + "/"
                + item.at("/metrics/4/value").asText();
    }
}
