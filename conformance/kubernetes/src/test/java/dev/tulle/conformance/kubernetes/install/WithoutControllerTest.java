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
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/** With no controller at all traffic goes on and nobody else is bothered; when it is back everything follows. */
@Tag("cluster")
@Isolated("it changes what all others use")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WithoutControllerTest {
    private static Place place;
    private static Place unlabelled;
    private static LoadPod load;

    @BeforeAll
    static void takeTheControllerAway() {
        place = Place.create("without-controller", Map.of());
        unlabelled = Place.create("without-controller-plain", Map.of(), false);
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
        place.app("client", "get", "http://web/").succeeded();
        place.app("client", "get", "http://idle/").succeeded();
        load = LoadPod.start(place, "load", "--rate=50", "http://web/");
        Tulle.scale(0);
    }

    @AfterAll
    static void bringItBack() {
        Tulle.scale(2);
        place.close();
        unlabelled.close();
    }

    @Test
    @Order(1)
    void aDestinationUsedBeforeIsStillReached() {
        assertThat(place.app("client", "get", "http://idle/").succeeded().out()).contains("200 OK");
        assertThat(place.app("client", "get", "http://web/").succeeded().out()).contains("200 OK");
    }

    @Test
    @Order(2)
    void aPodOfAnUnlabelledNamespaceStarts() {
        unlabelled.apply("plain.yaml");
        unlabelled.awaitRollout("deployment/plain");
        unlabelled.awaitReady("pod/client");
        assertThat(unlabelled.app("client", "get", "http://plain/").succeeded().out())
                .contains("200 OK");
    }

    @Test
    @Order(3)
    void aMeshedPodIsToldClearlyAndNotSilentlyLeftOut() {
        Place.Output refused = place.tryApply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: too-early}
                spec: {containers: [{name: app, image: "tulle.test/app:1", args: [sleep]}]}
                """);
        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("tulle-webhook", "failed calling webhook");
    }

    @Test
    @Order(4)
    void aContainerThatEndsIsStartedAgainAndServes() {
        String pod = place.podsOf("app=web").getFirst();
        place.signal(pod, "app", "SIGTERM");
        Awaitility.await("the application was started again")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(
                                place.value("pod/" + pod, ".status.containerStatuses[?(@.name==\"app\")].restartCount"))
                        .isEqualTo("1"));
        place.awaitReady("pod/" + pod);
        assertThat(place.app("client", "get", "http://web/").succeeded().out()).contains("200 OK");
    }

    @Test
    @Order(5)
    void nothingFailedAllTheTimeButWhatThatPodHeld() {
        JsonNode counts = load.end();
        assertThat(counts.path("ok").asInt()).as(counts.toString()).isGreaterThan(200);
        // A kill from outside is no drain: the requests it had in hand are lost, at most one a connection.
        assertThat(counts.path("failed").asInt()).as(counts.toString()).isLessThanOrEqualTo(8);
    }

    @Test
    @Order(6)
    void whenItIsBackWhatWasAskedForMeanwhileHappens() {
        // Given
        place.kubectl("scale", "deployment/web", "--replicas=4").succeeded();
        Awaitility.await("the ReplicaSet tells why it cannot")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(place.kubectl("get", "events", "-o", "json")
                                .succeeded()
                                .out())
                        .contains("FailedCreate", "tulle-webhook"));
        // When
        Tulle.scale(2);
        // Then: the ReplicaSet tries again at longer and longer intervals
        place.awaitRollout("deployment/web");
        assertThat(place.kubectl("get", "pods", "-l", "app=web,tulle.dev/meshed=true", "-o", "name")
                        .succeeded()
                        .out()
                        .lines())
                .hasSize(4);
        Awaitility.await("all four get requests")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(place.app("client", "load", "--rate=100", "--seconds=1", "http://web/")
                                .succeeded()
                                .json()
                                .path("pods"))
                        .hasSize(4));
    }
}
