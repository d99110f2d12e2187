package dev.tulle.conformance.kubernetes.install;

import static org.assertj.core.api.Assertions.assertThat;

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

/** A controller that starts without a definition goes on without its kind, and takes the kind up when it comes. */
@Tag("cluster")
@Isolated("it changes what all others use")
class DefinitionTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("definition", Map.of());
        place.apply("pair.yaml");
        place.awaitRollout("deployment/web");
        place.awaitReady("pod/client");
    }

    @AfterAll
    static void end() {
        place.close();
        Tulle.apply();
    }

    @Test
    void aDefinitionThatComesLateIsPickedUp() {
        // Given
        place.kubectl("delete", "crd", "trafficsplits.split.smi-spec.io", "--timeout=60s")
                .succeeded();
        Tulle.system()
                .kubectl("rollout", "restart", "deployment/" + Tulle.CONTROLLER)
                .succeeded();
        Tulle.awaitWorking();
        // When
        Tulle.apply().succeeded();
        // Then: written in an old version, so that the definition's conversion counts too
        Awaitility.await("a split can be written")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(place.tryApply("""
                                apiVersion: v1
                                kind: Service
                                metadata: {name: nobody}
                                spec: {selector: {app: nobody}, ports: [{port: 80}]}
                                ---
                                apiVersion: split.smi-spec.io/v1alpha2
                                kind: TrafficSplit
                                metadata: {name: idle}
                                spec: {service: idle, backends: [{service: nobody, weight: 1}]}
                                """).code()).isZero());
        awaitAnswer("it holds: nobody answers for its only backend", "503");
        place.kubectl("delete", "trafficsplit", "idle").succeeded();
        awaitAnswer("it holds no more", "200 OK");
    }

    private static void awaitAnswer(String what, String answer) {
        Awaitility.await(what)
                .atMost(SOON)
                .untilAsserted(() -> assertThat(
                                place.app("client", "get", "http://idle/").out())
                        .contains(answer));
    }
}
