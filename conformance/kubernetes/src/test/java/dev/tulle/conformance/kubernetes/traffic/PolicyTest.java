package dev.tulle.conformance.kubernetes.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import java.time.Duration;
import java.util.Map;
import org.assertj.core.api.ThrowingConsumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** SMI objects, applied to the cluster, decide on redirected traffic at once and without a lost request. */
@Tag("cluster")
class PolicyTest {
    private static final Duration AT_ONCE = Duration.ofSeconds(15);

    private static Place place;

    @BeforeAll
    static void start() {
        assumeTrue(Place.MESHED);
        place = Place.create("policy", Map.of());
        place.apply("policy.yaml");
        place.awaitReady("pod", "--all");
    }

    @AfterAll
    static void end() {
        if (place != null) {
            place.close();
        }
    }

    @Test
    void sharesAreAsTheSplitSaysAndChangeWithoutALostRequest() {
        split(90, 10);
        eventually(counted ->
                assertThat(counted.path("versions").path("v2").asDouble()).isCloseTo(20, within(2.0)));

        Place.Load load = place.load("client", "--rate=100", "http://web/short");
        split(50, 50);
        // The load takes turns of its own between these.
        eventually(counted ->
                assertThat(counted.path("versions").path("v2").asDouble()).isCloseTo(100, within(15.0)));
        split(0, 100);
        eventually(counted ->
                assertThat(counted.path("versions").path("v2").asDouble()).isEqualTo(200));
        load.endWithoutLoss(100);
    }

    private static void split(int v1, int v2) {
        place.applyText("""
                apiVersion: split.smi-spec.io/v1alpha2
                kind: TrafficSplit
                metadata: {name: web}
                spec:
                  service: web
                  backends: [{service: web-v1, weight: %d}, {service: web-v2, weight: %d}]
                """.formatted(v1, v2));
    }

    /** Repeats 200 requests on one connection until what they gave is right. */
    private static void eventually(ThrowingConsumer<JsonNode> right) {
        Awaitility.await()
                .atMost(AT_ONCE)
                .untilAsserted(() -> right.accept(place.app(
                                "client", "load", "--rate=400", "--seconds=0.5", "--connections=1", "http://web/short")
                        .succeeded()
                        .json()));
    }

    @Test
    void aGrantLetsItsSourcesInAndNobodyElseAndSaysWhy() {
        assertThat(place.get("thief", "http://guarded/treasure").path("pod").asText())
                .as("open until a TrafficTarget names it")
                .isEqualTo("guarded");

        grantTo("client");

        Awaitility.await()
                .atMost(AT_ONCE)
                .untilAsserted(() -> assertThat(place.app("thief", "get", "http://guarded/treasure")
                                .code())
                        .isEqualTo(1));
        Place.Output denied = place.app("thief", "get", "http://guarded/treasure");
        assertThat(denied.out()).contains("403 Forbidden", "X-Tulle-Reason: no-grant");
        assertThat(place.get("client", "http://guarded/treasure").path("pod").asText())
                .isEqualTo("guarded");
        assertThat(place.app("client", "get", "http://guarded/elsewhere").out())
                .as("the rule names a path")
                .contains("403 Forbidden");
        assertThat(place.app("thief", "grpc", "guarded:80").text()).contains("grpc-status 7");
        assertThat(place.app("thief", "tcp", "--within=5s", "guarded:9001").out())
                .as("TCP is closed")
                .isEmpty();
        String address = place.value("pod/guarded", ".status.podIP");
        assertThat(place.app("thief", "get", "http://" + address + ":8080/treasure")
                        .out())
                .as("nor by its address")
                .contains("403 Forbidden");

        grantTo("thief");
        Awaitility.await()
                .atMost(AT_ONCE)
                .untilAsserted(() -> assertThat(place.app("thief", "get", "http://guarded/treasure")
                                .code())
                        .isZero());

        place.kubectl("delete", "traffictarget", "guarded").succeeded();
        Awaitility.await()
                .atMost(AT_ONCE)
                .untilAsserted(() -> assertThat(place.app("thief", "tcp", "--within=5s", "guarded:9001")
                                .out())
                        .startsWith("HELLO"));
    }

    private static void grantTo(String serviceAccount) {
        place.applyText("""
                apiVersion: specs.smi-spec.io/v1alpha4
                kind: HTTPRouteGroup
                metadata: {name: treasures}
                spec: {matches: [{name: treasure, pathRegex: /treasure, methods: [GET]}]}
                ---
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: guarded}
                spec:
                  destination: {kind: ServiceAccount, name: guarded, namespace: @NAMESPACE@}
                  rules: [{kind: HTTPRouteGroup, name: treasures, matches: [treasure]}]
                  sources: [{kind: ServiceAccount, name: %s, namespace: @NAMESPACE@}]
                """.formatted(serviceAccount));
    }
}
