package dev.tulle.controller.trafficmetrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.model.Backend;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Service;
import dev.tulle.controller.model.ServiceEndpoint;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.model.ServicePort;
import dev.tulle.controller.model.Split;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.resources.WorkloadResource.Pod.Maker;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** A shop of two versions behind a split, and what is told of it. */
class TrafficDocumentsTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final LabelSelector ALL = LabelSelector.parse("");

    private final HandClock clock = new HandClock(START.plusSeconds(3));
    private final TrafficWindow window = new TrafficWindow(clock);
    private final Map<WorkloadId, PodBook.Entry> pods = new HashMap<>();
    private final SortedMap<ServiceName, Service> services = new TreeMap<>();

    TrafficDocumentsTest() {
        deployed("web", "web-1", "a");
        deployed("shop-v1", "shop-v1-1", "a");
        deployed("shop-v1", "shop-v1-2", "b");
        deployed("shop-v2", "shop-v2-1", "b");
        pods.put(id("cache-0"), entry("cache-0", "cache", "b", new Maker("StatefulSet", "cache")));
        service(
                "shop",
                List.of(new Backend(name("shop-v1"), 90), new Backend(name("shop-v2"), 10)),
                "shop-v1-1",
                "shop-v1-2");
        service("shop-v1", List.of(), "shop-v1-1", "shop-v1-2");
        service("shop-v2", List.of(), "shop-v2-1");
    }

    @Test
    void aDocumentTellsWhatThePodsOwnProxiesCounted() {
        // Given
        report("shop-v1-1", inbound("web", 90, 5), inbound("", 10, 0));
        report("shop-v1-2", inbound("web", 100, 15));
        // When
        ObjectNode document =
                documents().one(Kind.DEPLOYMENTS, "shop", "shop-v1").orElseThrow();
        // Then
        assertThat(document.path("kind").asText()).isEqualTo("TrafficMetrics");
        assertThat(document.path("apiVersion").asText()).isEqualTo("metrics.smi-spec.io/v1alpha1");
        assertThat(document.path("timestamp").asText()).isEqualTo("2026-01-01T00:00:30Z");
        assertThat(document.path("window").asText()).isEqualTo("30s");
        assertThat(document.path("resource").toString())
                .isEqualTo("{\"kind\":\"Deployment\",\"namespace\":\"shop\",\"name\":\"shop-v1\"}");
        assertThat(document.path("edge").toString())
                .isEqualTo("{\"direction\":\"from\",\"side\":\"server\",\"resource\":{}}");
        assertThat(document.at("/metadata/name").asText()).isEqualTo("shop-v1");
        assertThat(document.at("/metadata/namespace").asText()).isEqualTo("shop");
        assertThat(document.at("/metadata/selfLink").asText())
                .isEqualTo("/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/deployments/shop-v1");
        // Every request took 5 ms: interpolated between 4 and 5.
        assertThat(metrics(document))
                .isEqualTo(
                        "p99_response_latency=4990m ms, p90_response_latency=4900m ms, p50_response_latency=4500m ms,"
                                + " success_count=180, failure_count=20");
        assertThat(document.has("backend")).isFalse();
    }

    @Test
    void whatHadNoTrafficIsThereWithZeros() {
        assertThat(metrics(documents().one(Kind.PODS, "shop", "web-1").orElseThrow()))
                .isEqualTo("p99_response_latency=0 ms, p90_response_latency=0 ms, p50_response_latency=0 ms,"
                        + " success_count=0, failure_count=0");
        assertThat(documents().one(Kind.PODS, "shop", "nobody")).isEmpty();
        assertThat(documents().one(Kind.DEPLOYMENTS, "elsewhere", "shop-v1")).isEmpty();
        assertThat(documents().edges(Kind.PODS, "shop", "web-1").orElseThrow().path("items"))
                .isEmpty();
        assertThat(documents().edges(Kind.PODS, "shop", "nobody")).isEmpty();
    }

    @Test
    void everyKindAddsUpItsPods() {
        report("shop-v1-1", inbound("web", 1, 0));
        report("shop-v1-2", inbound("web", 20, 0));
        report("shop-v2-1", inbound("web", 300, 0));
        report("cache-0", inbound("web", 4000, 0));

        assertThat(counts(Kind.PODS)).isEqualTo("cache-0=4000, shop-v1-1=1, shop-v1-2=20, shop-v2-1=300, web-1=0");
        assertThat(counts(Kind.DEPLOYMENTS)).isEqualTo("shop-v1=21, shop-v2=300, web=0");
        assertThat(counts(Kind.REPLICASETS)).isEqualTo("shop-v1-hash=21, shop-v2-hash=300, web-hash=0");
        assertThat(counts(Kind.STATEFULSETS)).isEqualTo("cache=4000");
        assertThat(counts(Kind.NODES)).isEqualTo("a=1, b=4320");
        assertThat(counts(Kind.NAMESPACES)).isEqualTo("shop=4321");
        assertThat(counts(Kind.JOBS)).isEmpty();
        assertThat(counts(Kind.DAEMONSETS)).isEmpty();
        assertThat(documents().many(Kind.PODS, "elsewhere", ALL).path("items")).isEmpty();
        assertThat(documents().many(Kind.PODS, "", ALL).path("items")).hasSize(5);
        assertThat(documents()
                        .one(Kind.NAMESPACES, "", "shop")
                        .orElseThrow()
                        .at("/resource")
                        .toString())
                .isEqualTo("{\"kind\":\"Namespace\",\"name\":\"shop\"}");
    }

    @Test
    void onlyWholeRequestsOfTheWindowCount() {
        // Given what was long ago, what opaque connections and refusals there were, and what has just been reported
        report("web-1", inbound("web", 7000, 0));
        clock.pass(Duration.ofSeconds(30));
        report("web-1", inbound("web", 5, 0));
        report("web-1", new Report.Edge(Direction.INBOUND, "", "", "5432", false, false, 600, 0, 0, List.of()));
        report("web-1", new Report.Edge(Direction.INBOUND, "", "", "80", true, false, 0, 0, 50, List.of()));
        clock.pass(Duration.ofSeconds(30));
        report("web-1", inbound("web", 900, 0));
        // Then
        assertThat(success(
                        documents(Duration.ZERO).one(Kind.PODS, "shop", "web-1").orElseThrow()))
                .isEqualTo(5);
    }

    @Test
    void aSelectorChoosesByTheLabelsOfPodsAndLeavesTheNumbersWhole() {
        report("shop-v1-1", inbound("web", 1, 0));
        report("shop-v1-2", inbound("web", 20, 0));

        ObjectNode list =
                documents().many(Kind.DEPLOYMENTS, "shop", LabelSelector.parse("app=shop-v1, pod notin (shop-v1-2)"));

        assertThat(items(list, item -> name(item) + "=" + success(item))).isEqualTo("shop-v1=21");
        assertThat(list.path("selector").toString())
                .isEqualTo("{\"matchLabels\":{\"app\":\"shop-v1\"},\"matchExpressions\":"
                        + "[{\"key\":\"pod\",\"operator\":\"NotIn\",\"values\":[\"shop-v1-2\"]}]}");
        assertThat(list.path("resource").toString()).isEqualTo("{\"kind\":\"Deployment\",\"namespace\":\"shop\"}");
    }

    @Test
    void edgesNameWhatWasAskedForWhereThatIsKnownAndElseWhatIs() {
        // Given: two Deployments run as one service account
        report("web-1", outbound("shop", "shop-v1", "shop-v1", 90, 1), outbound("shop", "shop-v2", "shop-v2", 10, 0));
        report("shop-v1-1", inbound("web", 40, 0), inbound("", 5, 0));
        report("shop-v1-2", inbound("web", 50, 1));
        report("web-1", inbound("shop-v1", 3, 0));
        pods.put(id("cron-1"), entry("cron-1", "web", "a", new Maker("Job", "cron")));

        assertThat(edges(Kind.DEPLOYMENTS, "web"))
                .isEqualTo("from server Deployment shop/shop-v1 3/0, to client Deployment shop/shop-v1 89/1,"
                        + " to client Deployment shop/shop-v2 10/0");
        // A called pod of two, or a caller of two kinds, cannot be told: the Service and the service account can.
        assertThat(edges(Kind.PODS, "web-1"))
                .isEqualTo("from server ServiceAccount shop/shop-v1 3/0, to client Pod shop/shop-v2-1 10/0,"
                        + " to client Service shop/shop-v1 89/1");
        assertThat(edges(Kind.DEPLOYMENTS, "shop-v1"))
                .isEqualTo("from server Group /system:unauthenticated 5/0, from server ServiceAccount shop/web 89/1");
        pods.remove(id("cron-1"));
        assertThat(edges(Kind.DEPLOYMENTS, "shop-v1"))
                .isEqualTo("from server Group /system:unauthenticated 5/0, from server Deployment shop/web 89/1");
        assertThat(edges(Kind.NAMESPACES, "shop"))
                .isEqualTo("from server Group /system:unauthenticated 5/0, from server Namespace /shop 92/1,"
                        + " to client Namespace /shop 99/1");
    }

    @Test
    void aServiceHasWhatItsCallersSent() {
        report("web-1", outbound("shop", "shop-v1", "shop-v1", 90, 1), outbound("shop", "shop-v2", "shop-v2", 10, 0));
        report("cache-0", outbound("shop-v2", "shop-v2", "shop-v2", 7, 0));

        assertThat(items(
                        documents().many(Kind.SERVICES, "shop", ALL),
                        item -> name(item) + "=" + success(item) + " "
                                + item.at("/edge/side").asText()))
                .isEqualTo("shop=99 client, shop-v1=0 client, shop-v2=7 client");
        assertThat(edges(Kind.SERVICES, "shop")).isEqualTo("from client Deployment shop/web 99/1");
        assertThat(edges(Kind.SERVICES, "shop-v2")).isEqualTo("from client StatefulSet shop/cache 7/0");
    }

    @Test
    void aSplitHasADocumentForEachBackendOfWhatWasSentToItsRoot() {
        report("web-1", outbound("shop", "shop-v1", "shop-v1", 90, 1), outbound("shop", "shop-v2", "shop-v2", 10, 0));
        report("cache-0", outbound("shop-v2", "shop-v2", "shop-v2", 7, 0));

        ObjectNode list = documents().one(Kind.TRAFFICSPLITS, "shop", "canary").orElseThrow();

        assertThat(list.path("kind").asText()).isEqualTo("TrafficMetricsList");
        assertThat(items(list, item -> "%s %s %d".formatted(name(item), item.path("backend"), success(item))))
                .isEqualTo("canary {\"apex\":\"shop\",\"name\":\"shop-v1\",\"weight\":90} 89,"
                        + " canary {\"apex\":\"shop\",\"name\":\"shop-v2\",\"weight\":10} 10");
        assertThat(documents().many(Kind.TRAFFICSPLITS, "", ALL).path("items")).hasSize(2);
        assertThat(documents().one(Kind.TRAFFICSPLITS, "shop", "other")).isEmpty();
    }

    @Test
    void aPodThatIsGoneStillCountsForWhatMadeIt() {
        // Given
        report("shop-v1-1", inbound("web", 1, 0));
        report("shop-v1-2", inbound("web", 20, 0));
        // When
        pods.computeIfPresent(id("shop-v1-2"), (id, pod) -> new PodBook.Entry(pod.workload(), Optional.of(START)));
        // Then
        assertThat(counts(Kind.DEPLOYMENTS)).isEqualTo("shop-v1=21, shop-v2=0, web=0");
        assertThat(counts(Kind.PODS)).isEqualTo("cache-0=0, shop-v1-1=1, shop-v2-1=0, web-1=0");
    }

    private TrafficDocuments documents() {
        return documents(Duration.ofSeconds(30));
    }

    private TrafficDocuments documents(Duration later) {
        clock.pass(later);
        TrafficWindow.WholeSlices slices = window.whole(TrafficMetricsApi.WINDOW);
        clock.pass(later.negated());
        return new TrafficDocuments(slices, pods, new Mesh("cluster.local", List.of(), services, new TreeMap<>()));
    }

    private void report(String pod, Report.Edge... edges) {
        window.add(id(pod), new Report(Arrays.asList(edges), List.of(), 0, 0, ""));
    }

    private static Report.Edge inbound(String caller, long requests, long failures) {
        String peer = caller.isEmpty() ? "" : identity(caller).uri();
        return edge(Direction.INBOUND, peer, "", "80", requests, failures);
    }

    private static Report.Edge outbound(String service, String backend, String called, long requests, long failures) {
        return edge(
                Direction.OUTBOUND, identity(called).uri(), "shop/" + service, "shop/" + backend, requests, failures);
    }

    private static Report.Edge edge(
            Direction direction, String peer, String service, String backend, long requests, long failures) {
        List<Long> latency = List.of((long) LatencyBuckets.indexOf(5000), requests);
        return new Report.Edge(direction, peer, service, backend, true, true, requests, failures, 0, latency);
    }

    private void deployed(String deployment, String pod, String node) {
        pods.put(
                id(pod),
                entry(
                        pod,
                        deployment,
                        node,
                        new Maker("ReplicaSet", deployment + "-hash"),
                        new Maker("Deployment", deployment)));
    }

    private static PodBook.Entry entry(String pod, String account, String node, Maker... makers) {
        return new PodBook.Entry(Pods.pod(id(pod), true, account, node, makers), Optional.empty());
    }

    private void service(String name, List<Backend> backends, String... behind) {
        List<Split> splits =
                backends.isEmpty() ? List.of() : List.of(new Split("shop/canary", Optional.empty(), backends));
        List<ServiceEndpoint> endpoints = Arrays.stream(behind)
                .map(pod -> new ServiceEndpoint(
                        new HostPort("10.0.0.1", 80),
                        Optional.of(id(pod)),
                        80,
                        Optional.of(identity(pod.replaceFirst("-[0-9]$", ""))),
                        true,
                        ""))
                .toList();
        services.put(
                name(name),
                new Service(
                        name(name),
                        List.of(),
                        List.of(new ServicePort(80, "http", Protocol.HTTP, endpoints, splits)),
                        splits,
                        Resilience.NONE,
                        Optional.empty()));
    }

    private static ServiceName name(String service) {
        return new ServiceName("shop", service);
    }

    private static WorkloadId id(String pod) {
        return new WorkloadId("shop", pod);
    }

    private static SpiffeId identity(String account) {
        return new SpiffeId("cluster.local", "shop", account);
    }

    private String counts(Kind kind) {
        return items(documents().many(kind, "", ALL), item -> name(item) + "=" + success(item));
    }

    private String edges(Kind kind, String name) {
        String namespace = kind.isNamespaced() ? "shop" : "";
        return items(
                documents().edges(kind, namespace, name).orElseThrow(),
                item -> "%s %s %s %s/%s %s/%s"
                        .formatted(
                                item.at("/edge/direction").asText(),
                                item.at("/edge/side").asText(),
                                item.at("/edge/resource/kind").asText(),
                                item.at("/edge/resource/namespace").asText(),
                                item.at("/edge/resource/name").asText(),
                                item.at("/metrics/3/value").asText(),
                                item.at("/metrics/4/value").asText()));
    }

    private static String items(JsonNode list, Function<JsonNode, String> told) {
        return StreamSupport.stream(list.path("items").spliterator(), false)
                .map(told)
                .collect(Collectors.joining(", "));
    }

    private static String name(JsonNode item) {
        return item.at("/metadata/name").asText();
    }

    private static long success(JsonNode item) {
        return item.at("/metrics/3/value").asLong();
    }

    private static String metrics(JsonNode document) {
        return StreamSupport.stream(document.path("metrics").spliterator(), false)
                .map(metric -> metric.path("name").asText() + "="
                        + metric.path("value").asText()
                        + (metric.has("unit") ? " " + metric.path("unit").asText() : ""))
                .collect(Collectors.joining(", "));
    }
}
