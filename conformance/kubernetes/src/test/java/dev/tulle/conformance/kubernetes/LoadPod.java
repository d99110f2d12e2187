package dev.tulle.conformance.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A pod that does nothing but call, as {@code app load} does.
 *
 * <p>Other than {@link Place#load} it needs no connection through the API server while it runs.
 */
public final class LoadPod {
    private static final int LONGEST_SECONDS = 900;
    private static final int GOODBYE_SECONDS = 30;

    private final Place place;
    private final String name;

    private LoadPod(Place place, String name) {
        this.place = place;
        this.name = name;
    }

    /** Starts the pod {@code name} and returns when it calls. */
    public static LoadPod start(Place place, String name, String... arguments) {
        String options = List.of(arguments).stream()
                .map(argument -> ", \"" + argument + "\"")
                .collect(Collectors.joining());
        place.applyText("""
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, labels: {app: %s}}
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: %d
                  containers:
                  - {name: app, image: "tulle.test/app:1", args: [load, --seconds=%d%s]}
                """.formatted(name, name, GOODBYE_SECONDS, LONGEST_SECONDS, options));
        place.awaitReady("pod/" + name);
        return new LoadPod(place, name);
    }

    /** Lets it call for some time. */
    public LoadPod goOn(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted under load", e);
        }
        return this;
    }

    /** Ends it, deletes the pod and gives its one line of JSON. */
    public JsonNode end() {
        // A deleted pod takes its log along. One whose time is over is stopped in the same way, by SIGTERM, and stays.
        place.kubectl("patch", "pod", name, "-p", "{\"spec\": {\"activeDeadlineSeconds\": 1}}")
                .succeeded();
        Awaitility.await(name + " has ended")
                .atMost(Duration.ofSeconds(GOODBYE_SECONDS + 30))
                .untilAsserted(() -> assertThat(place.value(
                                "pod/" + name,
                                ".status.containerStatuses[?(@.name==\"app\")].state.terminated.exitCode"))
                        .isNotEmpty());
        Place.Output log = place.kubectl("logs", name, "-c", "app").succeeded();
        assertThat(log.out())
                .as(
                        "what %s printed; nothing means that it was killed while requests were under way for %d s",
                        name, GOODBYE_SECONDS)
                .startsWith("{");
        place.kubectl("delete", "pod", name, "--wait=false", "--grace-period=1").succeeded();
        return log.json();
    }

    /** Ends it; fails unless at least {@code atLeast} requests were answered with a 2xx and none otherwise. */
    public JsonNode endWithoutLoss(int atLeast) {
        JsonNode result = end();
        assertThat(result.path("failed").asInt()).as(result.toString()).isZero();
        assertThat(result.path("ok").asInt()).as(result.toString()).isGreaterThanOrEqualTo(atLeast);
        return result;
    }
}
