package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.ServiceName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.translate.ProxyConfigs;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.model.WorkloadId;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClusterReaderTest {
    private static final String SERVICE = """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: shop}
            spec: {selector: {app: web}, clusterIP: 10.96.0.1, ports: [{port: 80, targetPort: 8080}]}
            """;

    private final ClusterReader reader = new ClusterReader();

    @Test
    void aServiceThatComesAfterItWasAskedForIsThere() {
        // Given
        put(pod("web-1", "10.0.0.1", "Ready", ""));
        assertThat(asked("10.96.0.1:80")).isInstanceOf(Destination.NotInMesh.class);
        // When
        put(SERVICE);
        // Then
        assertThat(addresses("10.96.0.1:80")).containsExactly("10.0.0.1:8080");
    }

    @Test
    void aPodThatEndsIsNoEndpointWhileAnotherIsThere() {
        // Given
        put(SERVICE);
        put(pod("web-1", "10.0.0.1", "Ready", ""));
        put(pod("web-2", "10.0.0.2", "Ready", ""));
        // When
        put(pod("web-1", "10.0.0.1", "Ready", ", deletionTimestamp: '2026-11-21T18:00:00Z'"));
        // Then
        assertThat(addresses("10.96.0.1:80")).containsExactly("10.0.0.2:8080");
    }

    @Test
    void aPodThatEndsAndStillAnswersIsBetterThanNone() {
        put(SERVICE);
        put(pod("web-1", "10.0.0.1", "Ready", ", deletionTimestamp: '2026-11-21T18:00:00Z'"));
        assertThat(addresses("10.96.0.1:80")).containsExactly("10.0.0.1:8080");
    }

    @Test
    void aPodThatIsNotReadyIsNoEndpointEvenAlone() {
        put(SERVICE);
        put(pod("web-1", "10.0.0.1", "Initialized", ""));
        assertThat(addresses("10.96.0.1:80")).isEmpty();
        assertThat(addresses("10.0.0.1:8080")).containsExactly("10.0.0.1:8080");
    }

    @Test
    void anAddressThatIsGivenToAnotherPodIsThatPods() {
        // Given
        put(pod("web-1", "10.0.0.1", "Ready", ""));
        // When
        reader.remove(new ObjectRef("Pod", "shop", "web-1"));
        put(pod("web-2", "10.0.0.1", "Ready", ""));
        // Then
        assertThat(endpoints("10.0.0.1:8080")).extracting(Endpoint::workload).containsExactly("shop/web-2");
    }

    @Test
    void whatIsGoneFromAListIsForgotten() {
        // Given
        put(pod("web-1", "10.0.0.1", "Ready", ""));
        put(pod("web-2", "10.0.0.2", "Ready", ""));
        put(SERVICE);
        // When
        reader.retain("Pod", Set.of(new ObjectRef("Pod", "shop", "web-2")));
        // Then
        assertThat(addresses("10.96.0.1:80")).containsExactly("10.0.0.2:8080");
    }

    @Test
    void aSplitThatBreaksStaysAsItWasAndATargetGrantsNothing() {
        // Given
        String split = """
                apiVersion: split.smi-spec.io/v1alpha4
                kind: TrafficSplit
                metadata: {name: web, namespace: shop}
                spec: {service: web, backends: %s}
                """;
        String target = """
                apiVersion: access.smi-spec.io/v1alpha3
                kind: TrafficTarget
                metadata: {name: web, namespace: shop}
                spec:
                  destination: {kind: ServiceAccount, name: web}
                  sources: [{kind: ServiceAccount, name: client}]
                  rules: %s
                """;
        put(split.formatted("[{service: web-1, weight: 1}]"));
        put(target.formatted("[{kind: TCPRoute, name: all}]"));
        // When
        put(split.formatted("nonsense"));
        put(target.formatted("nonsense"));
        // Then
        Resources resources = reader.resources(List.of());
        assertThat(resources.splits())
                .singleElement()
                .satisfies(kept -> assertThat(kept.backends()).hasSize(1));
        assertThat(resources.targets()).singleElement().satisfies(kept -> {
            assertThat(kept.sources()).isEmpty();
            assertThat(kept.destination().name()).isEqualTo("web");
        });
        assertThat(resources.problems()).hasSize(2);
    }

    @Test
    void ofFiveThousandPodsLittleIsKept() {
        // Given
        for (int i = 0; i < 5_000; i++) {
            ObjectNode pod = (ObjectNode) read(pod("web-" + i, "10.0.%d.%d".formatted(i / 250, i % 250), "Ready", ""));
            ((ObjectNode) pod.at("/spec/containers/0")).put("command", "x".repeat(100_000));
            ((ObjectNode) pod.at("/metadata")).putObject("annotations").put("long/one", "y".repeat(50_000));
            // When
            reader.put(pod);
        }
        // Then: all of it would be 750 MB, more than there is.
        assertThat(reader.resources(List.of()).workloads()).hasSize(5_000);
    }

    @Test
    void unmeshedPodsAreNoWorkloadsOfTheMesh() {
        // Given
        put(SERVICE);
        put(pod("web-1", "10.0.0.1", "Ready", "").replace("tulle.dev/meshed: \"true\"", "a: b"));
        // When
        Mesh mesh = mesh();
        // Then
        assertThat(mesh.workloads()).isEmpty();
        assertThat(mesh.service(new ServiceName("shop", "web"))
                        .orElseThrow()
                        .port(80)
                        .orElseThrow()
                        .endpoints())
                .singleElement()
                .satisfies(endpoint -> assertThat(endpoint.identity()).isEmpty());
    }

    private List<String> addresses(String address) {
        return endpoints(address).stream()
                .map(endpoint -> endpoint.address().toString())
                .toList();
    }

    private List<Endpoint> endpoints(String address) {
        return ((Destination.Service) asked(address))
                .clusters().stream()
                        .flatMap(cluster -> cluster.endpoints().stream())
                        .toList();
    }

    private Destination asked(String address) {
        return ProxyConfigs.destination(
                mesh(), new WorkloadId("shop", "client"), DestinationKey.parse("addr:" + address));
    }

    private Mesh mesh() {
        return MeshAssembler.assemble(reader.resources(List.of())).mesh();
    }

    private void put(String yaml) {
        reader.put(read(yaml));
    }

    private static JsonNode read(String yaml) {
        return ((YamlFile.Documents) YamlFile.read(yaml)).documents().getFirst().content();
    }

    private static String pod(String name, String address, String condition, String metadata) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: shop, labels: {app: web, tulle.dev/meshed: "true"}%s}
                spec: {containers: [{name: web, ports: [{containerPort: 8080}]}]}
                status: {podIP: %s, conditions: [{type: %s, status: "True"}]}
                """.formatted(name, metadata, address, condition);
    }
}
