package dev.tulle.conformance.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.awaitility.Awaitility;

/** Tulle in the cluster, installed as users do it: by one manifest, applied on the server's side. */
public final class Tulle {
    /** Where the controller lives. */
    public static final String NAMESPACE = "tulle-system";

    /** The controller's Deployment, Lease, ServiceAccount and Service. */
    public static final String CONTROLLER = "tulle-controller";

    private static final Duration START = Duration.ofMinutes(3);
    private static boolean installed;

    private Tulle() {}

    /** The manifest. */
    public static Path manifest() {
        return Path.of("../../install/tulle.yaml").toAbsolutePath().normalize();
    }

    /** The controller's namespace; never to be closed. */
    public static Place system() {
        return Place.existing(NAMESPACE);
    }

    /** Installs Tulle unless this run has done so, and waits until it makes meshed pods. */
    public static synchronized void ensureInstalled() {
        if (!installed) {
            install();
        }
    }

    /** Applies the manifest and waits until Tulle makes meshed pods. */
    public static synchronized void install() {
        apply().succeeded();
        awaitWorking();
        installed = true;
    }

    /** Applies the manifest. */
    public static Place.Output apply() {
        assertThat(Files.exists(manifest()))
                .as("there is a manifest %s", manifest())
                .isTrue();
        return Place.run(
                List.of("kubectl", "apply", "--server-side", "-f", manifest().toString()), "");
    }

    /** Applies some manifest, over what was changed by hand, and waits until Tulle makes meshed pods. */
    public static synchronized void change(Path manifest) {
        Place.run(List.of("kubectl", "apply", "--server-side", "--force-conflicts", "-f", manifest.toString()), "")
                .succeeded();
        awaitWorking();
        installed = true;
    }

    /** Deletes what the manifest names. */
    public static synchronized Place.Output uninstall() {
        installed = false;
        return kubectl(
                "delete",
                "--ignore-not-found",
                "--timeout=80s",
                "-f",
                manifest().toString());
    }

    /** What adds the TrafficMetrics API. */
    public static Path trafficMetrics() {
        return manifest().resolveSibling("traffic-metrics.yaml");
    }

    /** Adds the TrafficMetrics API. */
    public static Place.Output applyTrafficMetrics() {
        return kubectl("apply", "--server-side", "-f", trafficMetrics().toString());
    }

    /** Takes the TrafficMetrics API away. */
    public static Place.Output deleteTrafficMetrics() {
        return kubectl("delete", "--ignore-not-found", "-f", trafficMetrics().toString());
    }

    /** Waits until the TrafficMetrics API has numbers: a leader that has just begun has none yet. */
    public static void awaitTrafficMetrics() {
        Awaitility.await("numbers of the TrafficMetrics API")
                .atMost(START)
                .untilAsserted(() ->
                        raw("/apis/metrics.smi-spec.io/v1alpha1/namespaces").succeeded());
    }

    /** What the API server answers at a path. */
    public static Place.Output raw(String path, String... more) {
        List<String> words = new ArrayList<>(List.of("get", "--raw", path));
        words.addAll(List.of(more));
        return kubectl(words.toArray(String[]::new));
    }

    private static Place.Output kubectl(String... words) {
        List<String> command = new ArrayList<>(List.of("kubectl"));
        command.addAll(List.of(words));
        return Place.run(command, "");
    }

    /** Waits until all replicas are ready, one leads, and a pod that asks for a proxy gets one. */
    public static void awaitWorking() {
        system().awaitRollout("deployment/" + CONTROLLER);
        Awaitility.await("one controller leads and makes meshed pods")
                .atMost(START)
                .pollDelay(Duration.ZERO)
                .untilAsserted(() -> {
                    assertThat(leader().path("metadata").path("name").asText()).isNotEmpty();
                    assertThat(meshedPod().out()).contains("tulle-proxy");
                });
    }

    /** What the API server would make of a pod that asks for a proxy, or why it would not; nothing is made. */
    public static Place.Output meshedPod() {
        return Place.run(List.of("kubectl", "create", "--dry-run=server", "-o", "yaml", "-f", "-"), """
                apiVersion: v1
                kind: Pod
                metadata: {name: would-be, namespace: default, labels: {tulle.dev/inject: enabled}}
                spec: {containers: [{name: app, image: "tulle.test/app:1"}]}
                """);
    }

    /** The controller's pods that are not on their way out, by age, the oldest first. */
    public static List<JsonNode> controllers() {
        List<JsonNode> pods = new ArrayList<>();
        system().kubectl("get", "pods", "-l", "app.kubernetes.io/name=" + CONTROLLER, "-o", "json")
                .succeeded()
                .json()
                .path("items")
                .forEach(pod -> {
                    if (pod.path("metadata").path("deletionTimestamp").isMissingNode()) {
                        pods.add(pod);
                    }
                });
        pods.sort(Comparator.comparing(
                pod -> pod.path("metadata").path("creationTimestamp").asText()));
        return List.copyOf(pods);
    }

    /** The controller that writes; an absent node if there is none just now. */
    public static JsonNode leader() {
        return controllers().stream()
                .filter(pod -> pod.path("metadata")
                        .path("labels")
                        .path("tulle.dev/leader")
                        .asText()
                        .equals("true"))
                .findFirst()
                .orElseGet(() -> Place.JSON.createObjectNode());
    }

    /** Sets the number of controllers and waits until it is so. */
    public static void scale(int replicas) {
        system().kubectl("scale", "deployment/" + CONTROLLER, "--replicas=" + replicas)
                .succeeded();
        if (replicas > 0) {
            awaitWorking();
        } else {
            Awaitility.await("no controller is left")
                    .atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(system().kubectl(
                                            "get", "pods", "-l", "app.kubernetes.io/name=" + CONTROLLER, "-o", "name")
                                    .succeeded()
                                    .out())
                            .isEmpty());
        }
    }
}
