package dev.tulle.conformance.flagger;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** One namespace with the application {@code shop}, its users, a load tester and a Canary. */
final class Shop implements AutoCloseable {
    /** Requests of the users in a second. */
    static final int RATE = 40;

    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofMillis(500);
    private static final Duration PHASE = Duration.ofMinutes(5);
    private static final int STATS_PORT = 8081;

    private final Cluster cluster;
    private final Provider provider;
    private final String namespace;
    private final AutoCloseable watch;
    private final Thread looker;
    private final AtomicInteger looks = new AtomicInteger();

    final Tally tally = new Tally();
    final Splits splits = new Splits();

    private Shop(Cluster cluster, Provider provider, Scenario scenario) {
        this.cluster = cluster;
        this.provider = provider;
        this.namespace = "canary-%s-%s".formatted(provider.slug(), scenario.word());
        watch = cluster.watch(
                "/apis/split.smi-spec.io/%s/namespaces/%s/trafficsplits?watch=1".formatted(provider.version, namespace),
                splits::seen);
        looker = Thread.ofVirtual().name("look at " + namespace).start(this::look);
    }

    /** Makes it, with version 1 of the application, and waits until Flagger has made it its own. */
    static Shop open(Cluster cluster, Provider provider, Scenario scenario) {
        String namespace = "canary-%s-%s".formatted(provider.slug(), scenario.word());
        cluster.delete("/api/v1/namespaces/" + namespace);
        Awaitility.await("an earlier %s is gone".formatted(namespace))
                .atMost(Duration.ofMinutes(2))
                .pollDelay(Duration.ZERO)
                .pollInterval(SOON)
                .until(() -> cluster.find("/api/v1/namespaces/" + namespace).isEmpty());
        Shop shop = new Shop(cluster, provider, scenario);
        try {
            shop.begin(scenario);
            return shop;
        } catch (RuntimeException | AssertionError e) {
            String story = shop.story();
            shop.close();
            throw new AssertionError(e.getMessage() + "\n" + story, e);
        }
    }

    private void begin(Scenario scenario) {
        String gates = scenario != Scenario.GATES ? "" : """
                      - {name: may-begin, type: confirm-rollout, url: "http://loadtester.@NAMESPACE@/gate/check"}
                      - {name: may-end, type: confirm-promotion, url: "http://loadtester.@NAMESPACE@/gate/check"}
                """;
        apply(
                "shop.yaml",
                Map.of(
                        "ANNOTATIONS",
                        provider.metrics.isEmpty() ? "" : "config.tulle.dev/metrics: " + provider.metrics,
                        "RATE",
                        String.valueOf(RATE)));
        release("1", 0, "");
        apply(
                "canary.yaml",
                Map.of(
                        "PROVIDER",
                        provider.word,
                        "STRATEGY",
                        scenario.strategy.replace("\n", "\n    "),
                        "GATES",
                        gates.stripTrailing()));
        await("Initialized");
        Awaitility.await("users of %s are served".formatted(namespace))
                .atMost(Duration.ofMinutes(1))
                .pollInterval(SOON)
                .until(() -> {
                    long now = now();
                    return tally.sum("users", now - 4, now - 1, "ok") >= RATE
                            && tally.sum("users", now - 4, now - 1, "lost", "failed") == 0;
                });
    }

    String namespace() {
        return namespace;
    }

    /** Lets the Deployment run another version, of which so many answers in a hundred fail and each is so late. */
    void release(String version, int failPercent, String delay) {
        apply("version.yaml", Map.of("VERSION", version, "FAIL", String.valueOf(failPercent), "DELAY", delay));
    }

    /** Waits until the Canary is in this phase. */
    void await(String phase) {
        try {
            Awaitility.await("canary of " + namespace)
                    .atMost(PHASE)
                    .pollInterval(SOON)
                    .until(() -> {
                        String is = phase();
                        if (is.equals("Failed") && !phase.equals("Failed")) {
                            throw new AssertionError(
                                    "the canary of %s is Failed instead of %s".formatted(namespace, phase));
                        }
                        return is.equals(phase);
                    });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "the canary of %s is %s after %s, not %s".formatted(namespace, phase(), PHASE, phase), e);
        }
    }

    /** Waits until the canary's weight is so, as Flagger wrote it. */
    void awaitWeight(int weight) {
        Awaitility.await("weight %d in %s".formatted(weight, namespace))
                .atMost(PHASE)
                .pollInterval(SOON)
                .until(() -> !splits.all().isEmpty() && splits.all().getLast().canary() == weight);
    }

    /** Waits until all pods have told what they counted up to now. */
    void awaitTally() {
        int before = looks.get();
        Awaitility.await("what the pods of " + namespace + " counted")
                .atMost(Duration.ofMinutes(1))
                .pollInterval(SOON)
                .until(() -> looks.get() >= before + 2);
    }

    String phase() {
        return canary().path("status").path("phase").asText();
    }

    private JsonNode canary() {
        return cluster.get("/apis/flagger.app/v1beta1/namespaces/%s/canaries/shop".formatted(namespace));
    }

    /** Opens or closes the gate that webhooks ask at the load tester. */
    void gate(boolean open) {
        cluster.post(
                "/api/v1/namespaces/%s/services/loadtester:80/proxy/gate/%s"
                        .formatted(namespace, open ? "open" : "close"),
                "{\"name\": \"shop\", \"namespace\": \"%s\"}".formatted(namespace));
    }

    /** The selector of the Service that users call. */
    JsonNode apexSelector() {
        return cluster.get("/api/v1/namespaces/%s/services/shop".formatted(namespace))
                .path("spec")
                .path("selector");
    }

    /** What the controller of the mesh had to say about objects here. */
    List<String> eventsOfTheMesh() {
        return cluster.get("/api/v1/namespaces/%s/events".formatted(namespace))
                .path("items")
                .valueStream()
                .filter(event -> event.toString().contains("tulle-controller"))
                .map(event -> "%s %s/%s: %s"
                        .formatted(
                                event.path("type").asText(),
                                event.path("involvedObject").path("kind").asText(),
                                event.path("involvedObject").path("name").asText(),
                                event.path("message").asText()))
                .toList();
    }

    /** What a label of a family says of the workloads of this namespace, as Prometheus knows it, pods that are gone among them. */
    Set<String> workloadsIn(String family, String namespaceLabel, String workloadLabel) {
        String query = "group by (%s) (last_over_time(%s{%s=\"%s\"}[10m]))"
                .formatted(workloadLabel, family, namespaceLabel, namespace);
        Set<String> names = new TreeSet<>();
        cluster.get("/api/v1/namespaces/flagger-system/services/prometheus:9090/proxy/api/v1/query?query="
                        + URLEncoder.encode(query, UTF_8))
                .path("data")
                .path("result")
                .forEach(one -> names.add(one.path("metric").path(workloadLabel).asText()));
        return names;
    }

    /** What happened, for the message of a failed test. */
    String story() {
        StringBuilder story = new StringBuilder("--- %s: %s%n".formatted(namespace, phase()));
        for (Splits.Step step : splits.all()) {
            story.append(
                    "split at %tT: canary %d, primary %d%n".formatted(step.atMillis(), step.canary(), step.primary()));
        }
        cluster.get("/api/v1/namespaces/%s/events".formatted(namespace))
                .path("items")
                .valueStream()
                .filter(event -> !event.path("type").asText().equals("Normal")
                        || event.path("involvedObject").path("kind").asText().equals("Canary"))
                .forEach(event -> story.append("event %s %s/%s: %s%n"
                        .formatted(
                                event.path("lastTimestamp").asText(),
                                event.path("involvedObject").path("kind").asText(),
                                event.path("involvedObject").path("name").asText(),
                                event.path("message").asText())));
        cluster.get("/api/v1/namespaces/%s/pods".formatted(namespace))
                .path("items")
                .forEach(pod -> story.append("pod %s: %s%n"
                        .formatted(
                                pod.path("metadata").path("name").asText(),
                                pod.path("status").path("phase").asText())));
        return story.toString();
    }

    /** The second it is, since 1970. */
    static long now() {
        return System.currentTimeMillis() / 1000;
    }

    @Override
    public void close() {
        looker.interrupt();
        try {
            looker.join();
            watch.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        if (System.getenv("FLAGGER_KEEP") == null) {
            cluster.delete("/api/v1/namespaces/" + namespace);
        }
    }

    private void apply(String manifest, Map<String, String> values) {
        try (InputStream in = Shop.class.getResourceAsStream("/manifests/" + manifest)) {
            if (in == null) {
                throw new IllegalArgumentException(manifest);
            }
            String yaml = new String(in.readAllBytes(), UTF_8);
            for (Map.Entry<String, String> value : values.entrySet()) {
                yaml = yaml.replace("@" + value.getKey() + "@", value.getValue());
            }
            cluster.apply(yaml.replace("@NAMESPACE@", namespace));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asks every pod for what it counted, again and again; pods that come or go are asked the next time, or not any more. */
    private void look() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Thread.sleep(LOOK);
                cluster.find("/api/v1/namespaces/%s/pods".formatted(namespace))
                        .ifPresent(pods -> pods.path("items").forEach(this::lookAt));
                looks.incrementAndGet();
            } catch (AssertionError | UncheckedIOException e) {
                // The API server is busy.
            } catch (InterruptedException | IllegalStateException e) {
                return; // Closed.
            }
        }
    }

    private void lookAt(JsonNode pod) {
        String app = pod.path("metadata").path("labels").path("app").asText();
        String name = pod.path("metadata").path("name").asText();
        if (!app.equals("loadtester")
                && pod.path("status").path("phase").asText().equals("Running")) {
            try {
                tally.tell(
                        name,
                        app,
                        cluster.get("/api/v1/namespaces/%s/pods/%s:%d/proxy/".formatted(namespace, name, STATS_PORT)));
            } catch (AssertionError | UncheckedIOException e) {
                // Not yet, or not any more.
            }
        }
    }
}
