package dev.tulle.conformance.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The cluster and what tests are made of, without a mesh: if this fails, nothing else means anything. */
@Tag("cluster")
@Isolated("it changes what all others use")
class ClusterTest {
    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("plain", Map.of(), false);
        place.apply("plain.yaml");
        place.awaitRollout("deployment/plain");
        place.awaitReady("pod/client");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    void servicesAnswerByNameAndInEveryFamily() {
        List<String> addresses =
                List.of(place.value("service/plain", ".spec.clusterIPs[*]").split(" "));
        assertThat(place.app("client", "get", "http://plain/").succeeded().out())
                .contains("200");
        assertThat(addresses).isNotEmpty().allSatisfy(address -> {
            String host = address.contains(":") ? "[" + address + "]" : address;
            assertThat(place.app("client", "get", "http://" + host + "/")
                            .succeeded()
                            .out())
                    .contains("200");
        });
    }

    @Test
    void namesOutsideOfTheClusterDoNotExist() {
        assertThat(place.app("client", "lookup", "example.com").text()).contains("no such host");
    }

    @Test
    void nothingOutsideOfTheMachineCanBeReached() {
        assertThat(place.app("client", "tcp", "192.0.2.200:80").text()).contains("unreachable");
    }

    @Test
    void loadsCountWhatIsAnsweredAndWhatIsNot() {
        // Given
        String nobody = place.value("pod/client", ".status.podIP") + ":81";
        LoadPod good = LoadPod.start(place, "good", "--rate=50", "http://plain/");
        LoadPod bad = LoadPod.start(place, "bad", "--rate=50", "http://" + nobody + "/");
        // When
        JsonNode answered = good.goOn(Duration.ofSeconds(2)).endWithoutLoss(80);
        JsonNode refused = bad.end();
        // Then
        assertThat(answered.path("pods")).hasSize(2);
        assertThat(refused.path("ok").asInt()).isZero();
        assertThat(refused.path("kinds").path("refused").asInt()).isGreaterThan(50);
    }

    @Test
    void aFailureTellsWhatIsThere() {
        // Given
        place.applyText("""
                apiVersion: v1
                kind: Pod
                metadata: {name: broken}
                spec: {containers: [{name: app, image: "tulle.test/nowhere:1"}]}
                """);
        // Then
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(Story.of(place))
                        .contains(
                                "namespace plain",
                                "event Warning Pod/broken",
                                "pod client: Running",
                                "tulle.test/nowhere:1"));
        place.kubectl("delete", "pod", "broken", "--grace-period=0", "--force").succeeded();
    }

    @Test
    void whatFailsSaysWhy() {
        assertThatThrownBy(
                        () -> place.app("client", "get", "http://nobody.plain/").succeeded())
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("no such host");
    }

    @Test
    void theApiServerComesBackWhenItIsKilled() {
        // When
        String before =
                Place.onNode("pgrep", "-x", "kube-apiserver").succeeded().out();
        Place.onNode("pkill", "-KILL", "-x", "kube-apiserver").succeeded();
        // Then
        Awaitility.await("another API server answers")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> {
                    assertThat(Place.onNode("pgrep", "-x", "kube-apiserver")
                                    .succeeded()
                                    .out())
                            .isNotEqualTo(before);
                    place.kubectl("get", "--raw", "/readyz").succeeded();
                });
    }
}
