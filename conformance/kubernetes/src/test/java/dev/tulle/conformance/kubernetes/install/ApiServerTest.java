package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.LoadPod;
import dev.tulle.conformance.kubernetes.Place;
import dev.tulle.conformance.kubernetes.Tulle;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** An API server that goes and comes again is no event for traffic, and the controller catches up with what it missed. */
@Tag("cluster")
@Isolated("it changes what all others use")
class ApiServerTest {
    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("api-server", Map.of());
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    void itsRestartIsSurvivedAndFollowedUp() {
        // Given
        LoadPod load = LoadPod.start(place, "load", "--rate=50", "http://web/");
        // When: twice, each time with changes at once, so that what the controller last saw is older than what the
        // server remembers
        for (int replicas = 3; replicas <= 4; replicas++) {
            Place.onNode("pkill", "-KILL", "-x", "kube-apiserver").succeeded();
            scaleAsSoonAsPossible(replicas);
        }
        place.awaitRollout("deployment/web");
        // Then
        Awaitility.await("all four get requests")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(podsThatAnswer()).hasSize(4));
        load.endWithoutLoss(400);
        Tulle.awaitWorking();
    }

    @Test
    void aStoppedApiServerStopsNothing() {
        LoadPod load = LoadPod.start(place, "load-2", "--rate=50", "http://web/");
        String leader = leaderAndItsRestarts();
        try {
            Place.onNode("pkill", "-STOP", "-x", "kube-apiserver").succeeded();
            // Longer than a leader may go without renewing its Lease.
            load.goOn(Duration.ofSeconds(25));
        } finally {
            Place.onNode("pkill", "-CONT", "-x", "kube-apiserver").succeeded();
        }
        Awaitility.await("the API server answers again")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> place.kubectl("get", "--raw", "/readyz").succeeded());
        load.endWithoutLoss(1000);
        Tulle.awaitWorking();
        assertThat(leaderAndItsRestarts()).as("who led before leads on").isEqualTo(leader);
    }

    private static String leaderAndItsRestarts() {
        JsonNode pod = Tulle.leader();
        return pod.at("/metadata/name").asText() + " " + pod.at("/status/containerStatuses/0/restartCount");
    }

    private static void scaleAsSoonAsPossible(int replicas) {
        Awaitility.await("the API server takes orders")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> place.kubectl("scale", "deployment/web", "--replicas=" + replicas)
                        .succeeded());
    }

    private static JsonNode podsThatAnswer() {
        return place.app("client", "load", "--rate=100", "--seconds=1", "http://web/")
                .succeeded()
                .json()
                .path("pods");
    }
}
