package dev.tulle.conformance.kubernetes.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Pods that come and go under load lose no request: the clients here repeat nothing, so each lost one would be counted. */
@Tag("cluster")
class RolloutTest {
    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("rollout", Map.of());
        place.apply("life.yaml");
        place.awaitReady("pod", "--all");
        place.awaitRollout("deployment/web");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    void aRollingRestartLosesNoRequest() {
        List<String> before = place.podsOf("app=web");
        Map<String, Place.Load> loads = underLoad("http://web/short");

        place.kubectl("rollout", "restart", "deployment/web").succeeded();
        place.awaitRollout("deployment/web");
        awaitGone(before);

        endWithoutLoss(loads);
        assertThat(place.podsOf("app=web")).hasSize(3).doesNotContainAnyElementsOf(before);
    }

    @Test
    void aScaleDownLosesNoRequestNotEvenASlowOne() {
        List<String> before = place.podsOf("app=web");
        Map<String, Place.Load> loads = underLoad("http://web/short");
        loads.put("slow", place.load("client", "--rate=10", "--connections=40", "http://web/slow?ms=1500"));

        place.kubectl("scale", "deployment/web", "--replicas=1").succeeded();
        Awaitility.await("two pods less")
                .atMost(Duration.ofSeconds(60))
                .until(() -> place.kubectl("get", "pods", "-l", "app=web", "-o", "name")
                                .succeeded()
                                .out()
                                .lines()
                                .count()
                        == 1);

        endWithoutLoss(loads);
        place.kubectl("scale", "deployment/web", "--replicas=" + before.size()).succeeded();
        place.awaitRollout("deployment/web");
    }

    @Test
    void anEvictedPodIsReplacedWithoutALostRequest() {
        List<String> before = place.podsOf("app=web");
        Map<String, Place.Load> loads = underLoad("http://web/short");

        String evicted = before.getFirst();
        place.evict(evicted).succeeded();
        awaitGone(List.of(evicted));
        place.awaitRollout("deployment/web");

        endWithoutLoss(loads);
        assertThat(place.podsOf("app=web")).hasSize(before.size()).doesNotContain(evicted);
    }

    @Test
    void evenAnApplicationThatKnowsNoGoodEndIsRestartedWithoutALostRequest() {
        assumeTrue(Place.MESHED, "a plain cluster loses some here");
        place.apply("abrupt.yaml");
        place.awaitRollout("deployment/abrupt");
        List<String> before = place.podsOf("app=abrupt");
        Map<String, Place.Load> loads = underLoad("http://abrupt/short");

        place.kubectl("rollout", "restart", "deployment/abrupt").succeeded();
        place.awaitRollout("deployment/abrupt");
        awaitGone(before);

        endWithoutLoss(loads);
    }

    private static Map<String, Place.Load> underLoad(String url) {
        Map<String, Place.Load> loads = new TreeMap<>(Map.of(
                "HTTP/1.1 kept", place.load("client", "--rate=60", url),
                "HTTP/1.1 fresh", place.load("client", "--rate=30", "--fresh", url),
                "HTTP/1.1 POST", place.load("client", "--rate=60", "--method=POST", "--body=order", url),
                "HTTP/2", place.load("client", "--rate=60", "--protocol=h2c", "--method=POST", "--body=order", url)));
        try {
            Thread.sleep(2_000); // so that connections are there and used before anything happens to them
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return loads;
    }

    private static void endWithoutLoss(Map<String, Place.Load> loads) {
        Map<String, JsonNode> results = new TreeMap<>();
        loads.forEach((kind, load) -> results.put(kind, load.end()));
        results.forEach((kind, result) -> System.out.println(kind + ": " + result));
        assertThat(results).allSatisfy((kind, result) -> {
            assertThat(result.path("failed").asInt()).as(kind + ": " + result).isZero();
            assertThat(result.path("ok").asInt()).as(kind).isGreaterThan(kind.equals("slow") ? 30 : 150);
        });
    }

    private static void awaitGone(List<String> pods) {
        Awaitility.await(pods + " gone")
                .atMost(Duration.ofSeconds(60))
                .until(() -> place.kubectl("get", "pods", "-o", "name")
                        .succeeded()
                        .out()
                        .lines()
                        .noneMatch(line -> pods.contains(line.substring("pod/".length()))));
    }
}
