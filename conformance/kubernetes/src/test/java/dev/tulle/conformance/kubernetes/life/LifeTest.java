package dev.tulle.conformance.kubernetes.life;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.kubernetes.Place;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What starts, works and ends on a plain cluster does so in the mesh, in the same order. */
@Tag("cluster")
@Execution(ExecutionMode.CONCURRENT)
class LifeTest {
    private static final Duration SOON = Duration.ofSeconds(90);

    private static Place place;

    @BeforeAll
    static void start() {
        place = Place.create("life", Map.of());
        place.apply("life.yaml");
        place.awaitReady("pod/client");
        place.awaitRollout("deployment/web");
        place.apply("births.yaml");
    }

    @AfterAll
    static void end() {
        place.close();
    }

    @Test
    void aJobWithASidecarEnds() {
        place.applyText("""
                apiVersion: batch/v1
                kind: Job
                metadata: {name: once}
                spec:
                  backoffLimit: 0
                  template:
                    spec:
                      restartPolicy: Never
                      containers: [{name: app, image: "tulle.test/app:1", args: [get, "http://web/"]}]
                """);

        place.await("Complete", "job/once");

        assertThat(place.kubectl("logs", "job/once").succeeded().out()).contains("HTTP/1.1 200 OK");
        Awaitility.await("its pod has ended, sidecar and all")
                .atMost(SOON)
                .until(() -> place.value("pod/" + place.podOf("job-name=once"), ".status.phase")
                        .equals("Succeeded"));
    }

    @Test
    void aJobThatFailsEndsToo() {
        place.applyText("""
                apiVersion: batch/v1
                kind: Job
                metadata: {name: never}
                spec:
                  backoffLimit: 0
                  template:
                    spec:
                      restartPolicy: Never
                      containers: [{name: app, image: "tulle.test/app:1", args: [get, "http://web/status/500"]}]
                """);

        place.await("Failed", "job/never");
    }

    @Test
    void aCronJobEndsEachTime() { // its first run is up to a minute away
        Awaitility.await("a run that has ended")
                .atMost(Duration.ofSeconds(120))
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> !place.value("cronjob/every-minute", ".status.lastSuccessfulTime")
                        .isEmpty());
    }

    @Test
    void anInitContainerHasNetwork() {
        place.awaitReady("pod/prepared");

        assertThat(place.kubectl("logs", "prepared", "-c", "prepare")
                        .succeeded()
                        .out())
                .contains("HTTP/1.1 200 OK");
    }

    @Test
    void theApplicationNeverStartsBeforeItsProxyIsReady() {
        place.awaitReady("pod/impatient");

        JsonNode pod =
                place.kubectl("get", "pod/impatient", "-o", "json").succeeded().json();
        JsonNode application = pod.path("status").path("containerStatuses").path(0);
        assertThat(application.path("restartCount").asInt()).isZero();
        if (Place.MESHED) {
            Instant started = Instant.parse(
                    application.path("state").path("running").path("startedAt").asText());
            JsonNode proxy = statusOf("tulle-proxy", pod.path("status").path("initContainerStatuses"));
            assertThat(Instant.parse(proxy.path("state")
                            .path("running")
                            .path("startedAt")
                            .asText()))
                    .isBeforeOrEqualTo(started);
        }
    }

    @Test
    void logsAndExecMeanTheApplicationWithoutBeingToldSo() {
        String pod = place.podsOf("app=web").getFirst();

        assertThat(place.kubectl("logs", pod).succeeded().out()).contains(pod, "is up");
        assertThat(place.kubectl("exec", pod, "--", "/app", "lookup", "localhost")
                        .succeeded()
                        .out())
                .contains("127.0.0.1");
    }

    @Test
    void aPortIsForwardedAsBefore() throws Exception {
        String pod = place.podsOf("app=web").getFirst();
        try (Place.Running forward = place.kubectlInBackground("port-forward", "pod/" + pod, ":8080");
                HttpClient client = HttpClient.newHttpClient()) {
            Pattern line = Pattern.compile("127\\.0\\.0\\.1:(\\d+) -> 8080");
            Awaitility.await("the forwarded port")
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> line.matcher(forward.printed()).find());
            Matcher matcher = line.matcher(forward.printed());
            assertThat(matcher.find()).isTrue();
            for (int i = 0; i < 3; i++) {
                assertThat(client.send(
                                        HttpRequest.newBuilder(
                                                        URI.create("http://127.0.0.1:" + matcher.group(1) + "/short"))
                                                .timeout(Duration.ofSeconds(20))
                                                .build(),
                                        BodyHandlers.ofString())
                                .body())
                        .isEqualTo(pod);
            }
        }
    }

    @Test
    void probesOfEveryKindPassUnderAClosedWorkload() {
        place.awaitReady("pod/probed");

        JsonNode pod =
                place.kubectl("get", "pod/probed", "-o", "json").succeeded().json();
        assertThat(pod.path("status").path("containerStatuses")).hasSize(5).allSatisfy(container -> {
            assertThat(container.path("ready").asBoolean()).isTrue();
            assertThat(container.path("restartCount").asInt())
                    .as(container.path("name").asText())
                    .isZero();
        });
        if (Place.MESHED) { // it is closed indeed
            String address = place.value("pod/probed", ".status.podIP");
            assertThat(place.app("client", "get", "http://" + address + ":8081/")
                            .text())
                    .contains("403");
        }
    }

    @Test
    void aProbeOfAnApplicationThatIsNotThereFails() {
        place.await("ContainersReady=false", "pod/unprobeable");

        Awaitility.await("it was probed and found wanting")
                .atMost(SOON)
                .untilAsserted(() -> assertThat(place.kubectl(
                                        "get",
                                        "events",
                                        "--field-selector",
                                        "involvedObject.name=unprobeable,reason=Unhealthy",
                                        "-o",
                                        "name")
                                .succeeded()
                                .out())
                        .isNotEmpty());
        JsonNode pod = place.kubectl("get", "pod/unprobeable", "-o", "json")
                .succeeded()
                .json();
        assertThat(pod.path("status").path("containerStatuses"))
                .allSatisfy(container ->
                        assertThat(container.path("ready").asBoolean()).isFalse());
    }

    @Test
    void aKilledProxyComesBack() {
        assumeTrue(Place.MESHED);
        place.awaitReady("pod/victim");
        String before = proxyOf("victim").path("containerID").asText();

        place.signal("victim", "tulle-proxy", "SIGKILL");

        awaitAnotherProxy("victim", before);
        assertThat(place.get("victim", "http://web/").path("pod").asText()).startsWith("web-");
        assertThat(place.kubectl("get", "pod/victim", "-o", "json")
                        .succeeded()
                        .json()
                        .path("status")
                        .path("containerStatuses")
                        .path(0)
                        .path("restartCount")
                        .asInt())
                .as("the application was left alone")
                .isZero();
    }

    @Test
    void anOomKilledProxyComesBack() {
        assumeTrue(Place.MESHED);
        place.awaitReady("pod/hungry");
        String before = proxyOf("hungry").path("containerID").asText();

        place.exhaustMemory("hungry", "tulle-proxy");

        awaitAnotherProxy("hungry", before);
        assertThat(proxyOf("hungry")
                        .path("lastState")
                        .path("terminated")
                        .path("reason")
                        .asText())
                .isEqualTo("OOMKilled");
        assertThat(place.get("hungry", "http://web/").path("pod").asText()).startsWith("web-");
    }

    private void awaitAnotherProxy(String pod, String before) {
        Awaitility.await("another proxy in " + pod).atMost(SOON).untilAsserted(() -> {
            JsonNode proxy = proxyOf(pod);
            assertThat(proxy.path("containerID").asText()).isNotEqualTo(before);
            assertThat(proxy.path("ready").asBoolean()).isTrue();
        });
    }

    private static JsonNode proxyOf(String pod) {
        return statusOf(
                "tulle-proxy",
                place.kubectl("get", "pod/" + pod, "-o", "json")
                        .succeeded()
                        .json()
                        .path("status")
                        .path("initContainerStatuses"));
    }

    private static JsonNode statusOf(String container, JsonNode statuses) {
        for (JsonNode status : statuses) {
            if (status.path("name").asText().equals(container)) {
                return status;
            }
        }
        throw new AssertionError("no container " + container + " in " + statuses);
    }
}
