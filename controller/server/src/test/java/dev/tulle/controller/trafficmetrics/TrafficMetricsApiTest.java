package dev.tulle.controller.trafficmetrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.CertificateAuthority.ServingIdentity;
import dev.tulle.controller.identity.Issuers;
import dev.tulle.controller.identity.Pem;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.report.TrafficWindow;
import dev.tulle.controller.webhook.ServingCertificate;
import dev.tulle.controller.webhook.Webhook;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadId;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The API as the API server's front proxy calls it: real TLS, and an API server in memory that knows who may what. */
@Timeout(120)
class TrafficMetricsApiTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String V1ALPHA1 = "/apis/metrics.smi-spec.io/v1alpha1";
    private static final String DEPLOYMENTS = V1ALPHA1 + "/namespaces/shop/deployments";
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");

    private final HandClock clock = new HandClock(Instant.parse("2026-01-01T00:00:03Z"));
    private final Vertx vertx = Vertx.vertx();
    private final Reviewer reviewer = new Reviewer();
    private final KubernetesMockServer server =
            new KubernetesMockServer(new Context(), new MockWebServer(), new HashMap<>(), reviewer, false);
    private final Issuers.Authority frontRoot = Issuers.root("front", "secp256r1");
    private final Issuers.Authority front = leaf(frontRoot, "front-proxy-client");

    @TempDir
    private Path directory = Path.of("");

    private CertificateAuthority authority;
    private KubernetesClient kubernetes;
    private TrafficMetricsApi api;
    private Webhook listener;
    private HttpClient client;

    /** An API server in memory that lets {@code viewer} see what is in {@code shop}, and counts how often it is asked. */
    private static final class Reviewer extends KubernetesCrudDispatcher {
        final AtomicInteger reviews = new AtomicInteger();
        volatile String last = "";

        @Override
        public MockResponse handleCreate(RecordedRequest request) {
            if (!request.getPath().endsWith("/subjectaccessreviews")) {
                return super.handleCreate(request);
            }
            reviews.incrementAndGet();
            last = request.getBody().readUtf8();
            boolean allowed = last.contains("\"user\":\"viewer\"") && last.contains("\"namespace\":\"shop\"");
            return new MockResponse()
                    .setResponseCode(201)
                    .setBody(last.substring(0, last.length() - 1) + ",\"status\":{\"allowed\":" + allowed + "}}");
        }
    }

    @BeforeEach
    void listen() throws Exception {
        server.init();
        kubernetes = server.createClient();
        authentication(Pem.of(frontRoot.certificate()), "[\"front-proxy-client\"]");
        authority = Authorities.open(directory.resolve("state"), Clock.systemUTC());
        api = new TrafficMetricsApi(kubernetes, vertx, clock);
        listener = new Webhook(
                kubernetes,
                vertx,
                new HostPort("127.0.0.1", 0),
                new SimpleMeterRegistry(),
                Map.of(),
                "1",
                Optional::empty,
                Map.of("apis", api, "openapi", api));
        ServingIdentity serving = authority.serve(Authorities.WEB, List.of("localhost"), List.of("127.0.0.1"));
        listener.use(new ServingCertificate(Pem.of(serving.chain()), Pem.of(serving.key())));
        client = client(front);
    }

    @AfterEach
    void close() {
        listener.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        kubernetes.close();
        server.destroy();
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void tellsNumbersToWhoMaySeeThem(HttpClient.Version version) throws Exception {
        leadWithTraffic();

        HttpResponse<String> response = client.send(
                request(DEPLOYMENTS + "/web", "viewer").version(version).build(), BodyHandlers.ofString());

        assertThat(response.version()).isEqualTo(version);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).contains("application/json");
        JsonNode document = JSON.readTree(response.body());
        assertThat(document.at("/resource/name").asText()).isEqualTo("web");
        assertThat(document.at("/metrics/3/value").asText()).isEqualTo("90");
        assertThat(document.at("/metrics/4/value").asText()).isEqualTo("10");
        assertThat(JSON.readTree(get(DEPLOYMENTS + "?labelSelector=app%3Dweb&limit=500", "viewer")
                                .body())
                        .path("items"))
                .hasSize(1);
        assertThat(JSON.readTree(get(DEPLOYMENTS + "?labelSelector=app%3Dother", "viewer")
                                .body())
                        .path("items"))
                .isEmpty();
        assertThat(JSON.readTree(get(DEPLOYMENTS + "/web/edges", "viewer").body())
                        .at("/items/0/edge/resource/name")
                        .asText())
                .isEqualTo("system:unauthenticated");
    }

    @Test
    void believesNobodyButTheFrontProxy() throws Exception {
        leadWithTraffic();
        Issuers.Authority elsewhere = Issuers.root("elsewhere", "secp256r1");

        refused(client(), 401, "There is no client certificate");
        refused(client(leaf(elsewhere, "front-proxy-client")), 401, "is not of requestheader-client-ca-file");
        refused(client(leaf(frontRoot, "somebody")), 401, "'somebody', which is not in requestheader-allowed-names");
        refused(
                client(frontRoot.signs(Issuers.Form.authority("front-proxy-client", "secp256r1")
                        .asLeaf()
                        .living(Instant.now().minus(Duration.ofDays(2)), Duration.ofDays(1)))),
                401,
                "is not of requestheader-client-ca-file");
        HttpResponse<String> nobody =
                client.send(HttpRequest.newBuilder(uri(DEPLOYMENTS)).build(), BodyHandlers.ofString());
        assertThat(nobody.statusCode()).isEqualTo(401);
        assertThat(nobody.body()).contains("does not say who asks");
        assertThat(reviewer.reviews).hasValue(0);
    }

    private void refused(HttpClient caller, int status, String why) throws Exception {
        for (String path : List.of(DEPLOYMENTS, V1ALPHA1)) {
            HttpResponse<String> response = caller.send(request(path, "viewer").build(), BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
            assertThat(response.body()).contains(why);
        }
    }

    @Test
    void anyNameOfTheFrontProxysAuthorityDoesWhereNoneIsNamed() throws Exception {
        authentication(Pem.of(frontRoot.certificate()), "[]");
        leadWithTraffic();

        HttpResponse<String> response = client(leaf(frontRoot, "somebody"))
                .send(request(DEPLOYMENTS, "viewer").build(), BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(200);
    }

    @Test
    void aNewAuthorityOfTheFrontProxyIsTakenOver() throws Exception {
        leadWithTraffic();
        assertThat(get(DEPLOYMENTS, "viewer").statusCode()).isEqualTo(200);
        Issuers.Authority next = Issuers.root("next", "RSA2048");
        authentication(Pem.of(frontRoot.certificate()) + Pem.of(next.certificate()), "[\"front-proxy-client\"]");
        clock.pass(Duration.ofSeconds(31));

        assertThat(client(leaf(next, "front-proxy-client"))
                        .send(request(DEPLOYMENTS, "viewer").build(), BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
        assertThat(get(DEPLOYMENTS, "viewer").statusCode()).isEqualTo(200);
    }

    @Test
    void whereTheFrontProxyIsUnknownNobodyIsBelieved() throws Exception {
        leadWithTraffic();
        kubernetes
                .configMaps()
                .inNamespace("kube-system")
                .withName("extension-apiserver-authentication")
                .delete();

        HttpResponse<String> response = get(DEPLOYMENTS, "viewer");

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("retry-after")).contains("5");
        assertThat(response.body())
                .contains("kube-system/extension-apiserver-authentication", "requestheader-client-ca-file");
    }

    @Test
    void asksTheApiServerWhoMaySeeWhat() throws Exception {
        leadWithTraffic();

        HttpResponse<String> forbidden = get(DEPLOYMENTS, "stranger");

        assertThat(forbidden.statusCode()).isEqualTo(403);
        assertThat(JSON.readTree(forbidden.body()).path("message").asText())
                .isEqualTo("User \"stranger\" cannot list resource \"deployments\" in API group \"metrics.smi-spec.io\""
                        + " in the namespace \"shop\"");
        assertThat(get(V1ALPHA1 + "/deployments", "viewer").statusCode()).isEqualTo(403);
        assertThat(get(V1ALPHA1 + "/namespaces/other/pods", "viewer").statusCode())
                .isEqualTo(403);
        assertThat(get(V1ALPHA1 + "/namespaces/shop/edges", "viewer").statusCode())
                .isEqualTo(200);
        assertThat(JSON.readTree(reviewer.last).at("/spec/resourceAttributes").toString())
                .contains("\"resource\":\"edges\"", "\"verb\":\"list\"", "\"namespace\":\"shop\"");
        assertThat(JSON.readTree(reviewer.last).path("spec").toString())
                .contains("\"groups\":[\"team\",\"system:authenticated\"]", "\"extra\":{\"example.com/Key\":[\"v\"]}");
        // Once more within ten seconds is not asked again.
        int asked = reviewer.reviews.get();
        assertThat(get(V1ALPHA1 + "/namespaces/shop/edges", "viewer").statusCode())
                .isEqualTo(200);
        assertThat(reviewer.reviews).hasValue(asked);
        clock.pass(Permissions.REMEMBERED);
        assertThat(get(V1ALPHA1 + "/namespaces/shop/edges", "viewer").statusCode())
                .isEqualTo(200);
        assertThat(reviewer.reviews).hasValue(asked + 1);
    }

    @Test
    void saysWhatThereIsToAskForOnEveryReplica() throws Exception {
        JsonNode resources =
                JSON.readTree(get(V1ALPHA1, "system:kube-aggregator").body());
        assertThat(resources.path("kind").asText()).isEqualTo("APIResourceList");
        assertThat(resources.path("groupVersion").asText()).isEqualTo("metrics.smi-spec.io/v1alpha1");
        assertThat(resources.findValuesAsText("name"))
                .contains("deployments", "deployments/edges", "namespaces", "edges", "trafficsplits")
                .doesNotHaveDuplicates();
        assertThat(resources.findValues("verbs").toString()).doesNotContain("delete", "watch", "create", "update");
        JsonNode group =
                JSON.readTree(get("/apis/metrics.smi-spec.io", "viewer").body());
        assertThat(group.path("kind").asText()).isEqualTo("APIGroup");
        assertThat(group.at("/preferredVersion/version").asText()).isEqualTo("v1alpha1");
        JsonNode groups = JSON.readTree(get("/apis", "viewer").body());
        assertThat(groups.at("/groups/0/name").asText()).isEqualTo("metrics.smi-spec.io");
        assertThat(reviewer.reviews).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/openapi/v2",
                "/openapi/v3",
                "/apis/other",
                V1ALPHA1 + "/widgets",
                V1ALPHA1 + "/namespaces/shop/pods/a/log",
                DEPLOYMENTS + "/nobody",
                V1ALPHA1 + "/namespaces/shop/trafficsplits/none"
            })
    void whatIsNotThereIsNotFound(String path) throws Exception {
        leadWithTraffic();

        HttpResponse<String> response = get(path, "viewer");

        assertThat(response.statusCode()).isEqualTo(404);
        JsonNode status = JSON.readTree(response.body());
        assertThat(status.path("kind").asText()).isEqualTo("Status");
        assertThat(status.path("reason").asText()).isEqualTo("NotFound");
        assertThat(status.path("code").asInt()).isEqualTo(404);
        assertThat(status.path("message").asText()).isNotEmpty();
    }

    @Test
    void nothingCanBeWrittenOrWatchedAndUnreadableQuestionsAreRefused() throws Exception {
        leadWithTraffic();
        for (String method : List.of("POST", "PUT", "DELETE", "PATCH")) {
            HttpResponse<String> response = client.send(
                    request(DEPLOYMENTS, "viewer")
                            .method(method, BodyPublishers.ofString("{}"))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(response.statusCode()).as(method).isEqualTo(405);
            assertThat(response.headers().firstValue("allow")).contains("GET");
        }
        assertThat(get(DEPLOYMENTS + "?watch=true", "viewer").statusCode()).isEqualTo(400);
        assertThat(get(DEPLOYMENTS + "?watch=false&labelSelector=", "viewer").statusCode())
                .isEqualTo(200);
        assertThat(get(DEPLOYMENTS + "?labelSelector=%3D", "viewer").statusCode())
                .isEqualTo(400);
        HttpResponse<String> services = get(V1ALPHA1 + "/namespaces/shop/services?labelSelector=a", "viewer");
        assertThat(services.statusCode()).isEqualTo(400);
        assertThat(services.body()).contains("not among services");
    }

    @Test
    void hasNoNumbersBeforeItLedForAWholeWindowOrWhenItLeadsNoLonger() throws Exception {
        // Given a replica that does not lead
        HttpResponse<String> standby = get(DEPLOYMENTS, "viewer");
        assertThat(standby.statusCode()).isEqualTo(503);
        assertThat(standby.headers().firstValue("retry-after")).contains("2");
        assertThat(JSON.readTree(standby.body()).path("reason").asText()).isEqualTo("ServiceUnavailable");
        assertThat(get(V1ALPHA1, "viewer").statusCode()).isEqualTo(200);
        // When it leads
        AutoCloseable leading = lead();
        clock.pass(Duration.ofSeconds(20));
        HttpResponse<String> young = get(DEPLOYMENTS, "viewer");
        assertThat(young.statusCode()).isEqualTo(503);
        assertThat(young.body()).contains("leads since 2026-01-01T00:00:03Z");
        // Then it answers once it was told to try, and not a slice before
        long after = Long.parseLong(young.headers().firstValue("retry-after").orElseThrow());
        clock.pass(Duration.ofSeconds(after).minus(TrafficWindow.SLICE));
        assertThat(get(DEPLOYMENTS, "viewer").statusCode()).isEqualTo(503);
        clock.pass(TrafficWindow.SLICE);
        assertThat(get(DEPLOYMENTS, "viewer").statusCode()).isEqualTo(200);
        leading.close();
        assertThat(get(DEPLOYMENTS, "viewer").statusCode()).isEqualTo(503);
    }

    /** Led long enough, with a hundred requests in the window, ten of them failed. */
    private void leadWithTraffic() {
        AutoCloseable unused = lead();
        clock.pass(Duration.ofMinutes(1));
        List<Long> latency = List.of((long) LatencyBuckets.indexOf(5000), 100L);
        traffic.add(
                WEB,
                new Report(
                        List.of(new Report.Edge(Direction.INBOUND, "", "", "80", true, false, 100, 10, 0, latency)),
                        List.of(),
                        0,
                        0,
                        ""));
        clock.pass(Duration.ofSeconds(10));
    }

    private final TrafficWindow traffic = new TrafficWindow(clock);

    private AutoCloseable lead() {
        PodBook pods = new PodBook(clock);
        pods.take(Pods.there(Pods.meshed(WEB, "web")));
        Mesh mesh = new Mesh("cluster.local", List.of(), new TreeMap<>(), new TreeMap<>());
        return api.lead(new TrafficSeen(traffic, () -> Optional.of(mesh), pods, clock.instant()));
    }

    private void authentication(String authorities, String names) {
        kubernetes
                .resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withNamespace("kube-system")
                        .withName("extension-apiserver-authentication")
                        .endMetadata()
                        .addToData("requestheader-client-ca-file", authorities)
                        .addToData("requestheader-allowed-names", names)
                        .addToData("requestheader-username-headers", "[\"X-Remote-User\"]")
                        .addToData("requestheader-group-headers", "[\"X-Remote-Group\"]")
                        .addToData("requestheader-extra-headers-prefix", "[\"X-Remote-Extra-\"]")
                        .build())
                .createOr(there -> there.update());
    }

    private HttpResponse<String> get(String path, String user) throws Exception {
        return client.send(request(path, user).build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path, String user) {
        return HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(40))
                .header("X-Remote-User", user)
                .header("X-Remote-Group", "team")
                .header("X-Remote-Group", "system:authenticated")
                .header("X-Remote-Extra-example.com%2f%4bey", "v");
    }

    private URI uri(String path) {
        return URI.create("https://localhost:" + listener.port().orElseThrow() + path);
    }

    private static Issuers.Authority leaf(Issuers.Authority signer, String name) {
        return signer.signs(Issuers.Form.authority(name, "secp256r1").asLeaf());
    }

    private HttpClient client(Issuers.Authority... shown) throws GeneralSecurityException, java.io.IOException {
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        anchors.setCertificateEntry("root", authority.state().roots().getFirst().certificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(anchors);
        KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
        keys.load(null, null);
        for (Issuers.Authority one : shown) {
            keys.setKeyEntry("client", one.keys().getPrivate(), new char[0], new Certificate[] {one.certificate()});
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return HttpClient.newBuilder()
                .sslContext(context)
                .connectTimeout(Duration.ofSeconds(30))
                .build();
    }
}
