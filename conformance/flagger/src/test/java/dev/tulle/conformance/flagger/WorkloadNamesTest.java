package dev.tulle.conformance.flagger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** The names that metrics give to workloads of every kind: those that their authors wrote. */
@Tag("flagger")
class WorkloadNamesTest {
    private static final String NAMESPACE = "canary-names";
    private static final Map<String, String> NAMES =
            Map.of("web", "web-5d8f7c9b6", "db", "db-0", "agent", "agent", "once", "once");

    static boolean isWanted() {
        List<String> scenarios =
                List.of(System.getProperty("flagger.scenarios", "").split(","));
        return scenarios.equals(List.of("")) || scenarios.contains("names");
    }

    @Test
    @EnabledIf("isWanted")
    void everyKindOfWorkloadIsCalledAsItsAuthorCalledIt() throws IOException {
        try (Cluster cluster = Cluster.open();
                InputStream in = WorkloadNamesTest.class.getResourceAsStream("/manifests/kinds.yaml")) {
            cluster.apply(
                    new String(Objects.requireNonNull(in).readAllBytes(), UTF_8).replace("@NAMESPACE@", NAMESPACE));
            try {
                NAMES.forEach((app, name) -> Awaitility.await(name)
                        .atMost(Duration.ofMinutes(2))
                        .pollInterval(Duration.ofSeconds(1))
                        .untilAsserted(() -> assertThat(metrics(cluster, app))
                                .contains(
                                        "istio_requests_total{reporter=\"destination\",destination_workload=\"%s\",destination_workload_namespace=\"%s\","
                                                .formatted(name, NAMESPACE))
                                .contains("namespace=\"%s\",deployment=\"%s\"".formatted(NAMESPACE, name))
                                .contains(
                                        "destination_namespace=\"%s\",destination_kind=\"Deployment\",destination_name=\"%s\""
                                                .formatted(NAMESPACE, name))));
            } finally {
                if (System.getenv("FLAGGER_KEEP") == null) {
                    cluster.delete("/api/v1/namespaces/" + NAMESPACE);
                }
            }
        }
    }

    private static String metrics(Cluster cluster, String app) {
        JsonNode pods = cluster.get("/api/v1/namespaces/%s/pods?labelSelector=app=%s".formatted(NAMESPACE, app))
                .path("items");
        assertThat(pods).as("pods of " + app).isNotEmpty();
        return cluster.text("/api/v1/namespaces/%s/pods/%s:15890/proxy/metrics"
                .formatted(NAMESPACE, pods.path(0).path("metadata").path("name").asText()));
    }
}
