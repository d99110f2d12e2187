package dev.tulle.conformance.kubernetes.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Bad input and bad luck: what goes wrong is said, stays where it is, and is over when its cause is. */
@Tag("cluster")
class BadLuckTest {
    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("luck", Map.of());
        place.apply("life.yaml");
        place.awaitReady("pod", "--all");
        place.awaitRollout("deployment/web");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    void aPodWithABrokenAnnotationIsRefusedWithItsCure() {
        assumeTrue(Place.MESHED);
        Place.Output refused = place.tryApply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: broken, annotations: {config.tulle.dev/skip-inbound-ports: "80,eighty"}}
                spec: {containers: [{name: app, image: "tulle.test/app:1", args: [sleep]}]}
                """);

        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("config.tulle.dev/skip-inbound-ports", "eighty");
        assertThat(place.kubectl("get", "pod", "broken").code())
                .as("nor is it there without a proxy")
                .isNotZero();
    }

    @Test
    void aDeploymentWithABrokenAnnotationIsRefusedBeforeItsPodsAre() {
        assumeTrue(Place.MESHED);
        Place.Output refused = place.tryApply("""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: broken}
                spec:
                  selector: {matchLabels: {app: broken}}
                  template:
                    metadata: {labels: {app: broken}, annotations: {config.tulle.dev/proxy-memory-limit: plenty}}
                    spec: {containers: [{name: app, image: "tulle.test/app:1", args: [sleep]}]}
                """);

        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("config.tulle.dev/proxy-memory-limit", "plenty", "128Mi");
    }

    @Test
    void anImageWithoutAShellOnAReadOnlyRootWithoutAnyRightWorks() {
        place.applyText("""
                apiVersion: v1
                kind: Pod
                metadata: {name: bare}
                spec:
                  terminationGracePeriodSeconds: 1
                  automountServiceAccountToken: false
                  securityContext: {runAsNonRoot: true, runAsUser: 1234, runAsGroup: 1234, fsGroup: 1234, seccompProfile: {type: RuntimeDefault}}
                  containers:
                  - name: app
                    image: tulle.test/app:1
                    args: [serve, "--http=:8080", --stop-after=0s]
                    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                    readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
                """);
        place.awaitReady("pod/bare");

        assertThat(place.get("bare", "http://web/").path("pod").asText()).startsWith("web-");
        String address = place.value("pod/bare", ".status.podIP");
        assertThat(place.get("client", "http://" + address + ":8080/")
                        .path("pod")
                        .asText())
                .isEqualTo("bare");
    }

    @Test
    void aNamespaceDeletedUnderLoadIsGoneSoonAndHarmsNobodyElse() {
        Place doomed = Place.create("doomed", Map.of());
        doomed.apply("life.yaml");
        doomed.awaitRollout("deployment/web");
        Place.Load lost = place.load("client", "--rate=50", "--within=5s", "http://web.doomed/short");
        Place.Load kept = place.load("client", "--rate=50", "http://web/short");

        Awaitility.await("traffic").pollDelay(Duration.ofSeconds(2)).until(() -> true);
        Place.run(List.of("kubectl", "delete", "namespace", "doomed", "--timeout=80s"), "")
                .succeeded();

        kept.endWithoutLoss(200);
        JsonNode result = lost.end();
        assertThat(result.path("ok").asInt()).as(result.toString()).isGreaterThan(50);
        assertThat(result.path("failed").asInt()).as(result.toString()).isGreaterThan(0);
        assertThat(result.path("kinds").path("timeout").asInt())
                .as("whoever calls what is gone is told so, and does not wait: " + result)
                .isLessThan(result.path("failed").asInt() / 2 + 1);

        Place again = Place.create("doomed", Map.of());
        try {
            again.apply("life.yaml");
            again.awaitRollout("deployment/web");
            Awaitility.await("the new one is found under the old name")
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(place.app("client", "get", "http://web.doomed/")
                                    .code())
                            .isZero());
        } finally {
            again.close();
        }
    }

    @Test
    void proxiesThatAreKilledUnderLoadComeBackAndServe() {
        assumeTrue(Place.MESHED);
        String victim = place.podsOf("app=web").getFirst();
        Place.Load load = place.load("client", "--rate=100", "http://web/short");
        Awaitility.await("traffic").pollDelay(Duration.ofSeconds(2)).until(() -> true);

        place.signal(victim, "tulle-proxy", "SIGKILL");

        // Ready may be what it was before the kill was noticed; that it serves is what counts.
        Awaitility.await("its pod serves again")
                .pollDelay(Duration.ofSeconds(2))
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> {
                    JsonNode after = place.app("client", "load", "--rate=200", "--seconds=2", "http://web/short")
                            .json();
                    assertThat(after.path("pods").has(victim))
                            .as(after.toString())
                            .isTrue();
                });
        JsonNode after = place.app("client", "load", "--rate=200", "--seconds=3", "http://web/short")
                .json();
        JsonNode result = load.end();
        System.out.println("a killed proxy among three: " + result);
        assertThat(after.path("failed").asInt()).as(after.toString()).isZero();
        assertThat(result.path("failed").asInt())
                .as("only what was under way in it may be lost: " + result)
                .isLessThanOrEqualTo(20);
    }

    @Test
    void aControllerThatHangsStopsNoTraffic() {
        assumeTrue(Place.MESHED);
        Place tulle = Place.existing("tulle-system");
        List<String> controllers = tulle.podsOf("app.kubernetes.io/name=tulle-controller");
        Place.Load load = place.load("client", "--rate=100", "http://web/short");
        Awaitility.await("traffic").pollDelay(Duration.ofSeconds(2)).until(() -> true);
        try {
            controllers.forEach(pod -> tulle.signal(pod, "controller", "SIGSTOP"));
            Awaitility.await("it hangs").pollDelay(Duration.ofSeconds(8)).until(() -> true);
            assertThat(place.app("client", "get", "--within=5s", "http://web/").code())
                    .isZero();
            // Somewhere this proxy has not been yet: refused or found, but not in suspense.
            long asked = System.nanoTime();
            place.app("client", "get", "--within=20s", "http://kubernetes.default:443/");
            assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(10));
        } finally {
            controllers.forEach(pod -> tulle.signal(pod, "controller", "SIGCONT"));
        }
        load.endWithoutLoss(500);
        tulle.awaitRollout("deployment/tulle-controller");
        place.kubectl("scale", "deployment/web", "--replicas=4").succeeded();
        place.awaitRollout("deployment/web");
    }
}
