package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.StandaloneMesh;
import dev.tulle.conformance.mesh.SteadyLoad;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Wrong objects in the directory of a living mesh: each is a problem that names object and field, and the traffic goes on. */
@Timeout(120)
class BadInputTest {
    private static final Duration BOUND = Duration.ofSeconds(30);

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static StandaloneMesh mesh;
    private static SteadyLoad load;

    @BeforeAll
    static void start() {
        StandaloneMesh.requireBuilt();
        origin = new RecordingOrigin();
        int local = Program.freePort();
        mesh = StandaloneMesh.start(
                folder,
                StandaloneMesh.server("catalog", Program.freePort(), origin.port())
                        + StandaloneMesh.caller("web", "catalog", local)
                        + StandaloneMesh.grant("catalog", "web"));
        mesh.join("shop/catalog-1");
        mesh.join("shop/web-1");
        load = new SteadyLoad(local);
        await().atMost(BOUND).until(() -> load.good() > 10);
    }

    @AfterAll
    static void stop() {
        if (load != null) {
            load.close();
        }
        if (mesh != null) {
            mesh.close();
        }
        if (origin != null) {
            origin.close();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    an unclosed bracket      | {apiVersion: v1, kind: Service, metadata: {name: broken                                                                                                             | bad.yaml   | not YAML
                    an unknown kind          | {apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTargets, metadata: {name: odd, namespace: shop}}                                                             | odd        | TrafficTargets
                    a missing route group    | {apiVersion: access.smi-spec.io/v1alpha3, kind: TrafficTarget, metadata: {name: lost, namespace: shop}, spec: {destination: {kind: ServiceAccount, name: catalog, namespace: shop}, sources: [{kind: ServiceAccount, name: web, namespace: shop}], rules: [{kind: HTTPRouteGroup, name: nowhere}]}} | lost | nowhere
                    a negative weight        | {apiVersion: split.smi-spec.io/v1alpha4, kind: TrafficSplit, metadata: {name: minus, namespace: shop}, spec: {service: catalog, backends: [{service: catalog, weight: -1}]}}  | minus      | weight
                    a regex beyond RE2       | {apiVersion: specs.smi-spec.io/v1alpha4, kind: HTTPRouteGroup, metadata: {name: look, namespace: shop}, spec: {matches: [{name: behind, pathRegex: "/(?<=a)b", methods: [GET]}]}} | look  | pathRegex
                    a Service without anyone | {apiVersion: v1, kind: Service, metadata: {name: lonely, namespace: shop}, spec: {selector: {app: nobody}, ports: [{port: 80}]}}                                             | lonely     | selector
                    """)
    void isAProblemThatSaysWhatAndWhereWhileTheTrafficGoesOn(String name, String yaml, String object, String mention) {
        // Given
        long before = load.good();
        // When
        mesh.write("bad.yaml", yaml + "\n");
        // Then
        mesh.awaitApi("/api/v1/problems", "a problem for " + name, answer -> problem(answer, object, mention));
        await().atMost(BOUND).until(() -> load.good() > before + 30);
        assertThat(load.bad()).isEmpty();
        // And it is gone with its cause
        mesh.remove("bad.yaml");
        mesh.awaitApi(
                "/api/v1/problems",
                "no problem after " + name,
                answer ->
                        answer.path("problems").isArray() && !answer.toString().contains("bad.yaml"));
        assertThat(load.bad()).isEmpty();
    }

    @Test
    void aFileThatBreaksKeepsItsLastGoodMeaning() {
        // Given
        String good = StandaloneMesh.caller("other", "catalog", Program.freePort());
        mesh.write("other.yaml", good);
        mesh.awaitApi(
                "/api/v1/mesh", "the workload", answer -> answer.toString().contains("shop/other-1"));
        // When
        mesh.write("other.yaml", good + "\n  - {");
        mesh.awaitApi("/api/v1/problems", "the problem", answer -> problem(answer, "other.yaml", ""));
        // Then
        assertThat(mesh.api("/api/v1/mesh").toString()).contains("shop/other-1");
        mesh.remove("other.yaml");
        mesh.awaitApi(
                "/api/v1/mesh", "no workload", answer -> !answer.toString().contains("shop/other-1"));
        assertThat(load.bad()).isEmpty();
    }

    private static boolean problem(JsonNode answer, String object, String mention) {
        for (JsonNode problem : answer.path("problems")) {
            if ((problem.path("object").asText() + problem.path("place").asText()).contains(object)
                    && problem.toString().contains(mention)
                    && !problem.path("message").asText().isEmpty()
                    && !problem.path("remedy").asText().isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
