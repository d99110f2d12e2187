package dev.tulle.conformance.kubernetes.install;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.LoadPod;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/** The manifest says what is, however often it is applied, and takes nobody down with it when it is deleted. */
@Tag("cluster")
@Isolated("it changes what all others use")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class InstallTest {
    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("install", Map.of());
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
    }

    @AfterAll
    static void end() {
        place.close();
        Tulle.ensureInstalled();
    }

    @Test
    @Order(1)
    void applyingItAgainChangesNothing() {
        // Given
        Map<String, String> before = atRest();
        // When
        Place.Output again = Tulle.apply().succeeded();
        // Then
        assertThat(again.out()).contains("deployment.apps/tulle-controller serverside-applied");
        assertThat(objects()).isEqualTo(before);
    }

    @Test
    @Order(2)
    void anotherToolThanKubectlCanApplyIt() {
        // Two may say the same of a field. What the controller adds (authorities of webhooks) the manifest does not
        // speak of.
        Place.run(
                        List.of(
                                "kubectl",
                                "apply",
                                "--server-side",
                                "--dry-run=server",
                                "--field-manager=another-tool",
                                "-f",
                                Tulle.manifest().toString()),
                        "")
                .succeeded();
    }

    @Test
    @Order(3)
    void deletingItLeavesApplicationsWorking() {
        // Given
        assertThat(place.get("client", "http://web/").path("headers").toString())
                .isNotEmpty();
        LoadPod load = LoadPod.start(place, "load", "--rate=50", "http://web/");
        load.goOn(Duration.ofSeconds(2));
        // When
        Tulle.uninstall().succeeded();
        // Then
        assertThat(Place.run(
                                List.of(
                                        "kubectl",
                                        "get",
                                        "mutatingwebhookconfigurations,crds,clusterroles",
                                        "-o",
                                        "name"),
                                "")
                        .succeeded()
                        .out())
                .doesNotContain("tulle", "smi-spec.io");
        load.goOn(Duration.ofSeconds(5));
        load.endWithoutLoss(300);
        assertThat(place.app("client", "get", "http://web/").succeeded().out()).contains("200 OK");
        place.kubectl("rollout", "restart", "deployment/web").succeeded();
        place.awaitRollout("deployment/web");
        LoadPod plain = LoadPod.start(place, "plain", "--rate=20", "http://web/");
        plain.goOn(Duration.ofSeconds(2)).endWithoutLoss(20);
    }

    @Test
    @Order(4)
    void installedAgainItMeshesWhatStartsFromThenOn() {
        // When
        Tulle.install();
        place.kubectl("rollout", "restart", "deployment/web").succeeded();
        place.awaitRollout("deployment/web");
        place.kubectl("delete", "pod", "client", "--grace-period=1").succeeded();
        place.apply("pair.yaml");
        place.awaitReady("pod/client");
        // Then
        assertThat(place.value("pod/client", ".metadata.labels.tulle\\.dev/meshed"))
                .isEqualTo("true");
        Awaitility.await("requests by mutual TLS")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(place.app("client", "get", "http://web/")
                                .succeeded()
                                .out())
                        .contains("200 OK"));
    }

    /** The objects as soon as nothing about them has changed for some seconds. */
    private static Map<String, String> atRest() {
        AtomicReference<Map<String, String>> last = new AtomicReference<>(Map.of());
        Awaitility.await("the installed objects come to rest")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofSeconds(3))
                .untilAsserted(() -> {
                    Map<String, String> now = objects();
                    assertThat(now).isEqualTo(last.getAndSet(now));
                });
        return requireNonNull(last.get());
    }

    /** Version and owners of fields of every object of the manifest. */
    private static Map<String, String> objects() {
        Map<String, String> objects = new TreeMap<>();
        JsonNode items = Place.run(
                        List.of(
                                "kubectl",
                                "get",
                                "--show-managed-fields",
                                "-o",
                                "json",
                                "-f",
                                Tulle.manifest().toString()),
                        "")
                .succeeded()
                .json()
                .path("items");
        for (JsonNode item : items) {
            JsonNode metadata = item.path("metadata");
            objects.put(
                    item.path("kind").asText() + " "
                            + metadata.path("namespace").asText() + "/"
                            + metadata.path("name").asText(),
                    metadata.path("uid") + " " + metadata.path("resourceVersion") + " "
                            + metadata.path("managedFields"));
        }
        assertThat(objects).hasSizeGreaterThan(10);
        return objects;
    }
}
