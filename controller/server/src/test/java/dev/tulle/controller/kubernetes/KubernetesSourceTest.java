package dev.tulle.controller.kubernetes;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.proxy.model.WorkloadId;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@EnableKubernetesMockClient(crud = true)
@Timeout(60)
class KubernetesSourceTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @SuppressWarnings("NullAway.Init") // The extension sets it.
    KubernetesClient client;

    private final List<Resources> seen = new CopyOnWriteArrayList<>();

    @SuppressWarnings("NullAway.Init")
    private KubernetesSource source;

    @BeforeEach
    void open() {
        source = new KubernetesSource(client);
    }

    @AfterEach
    void close() {
        source.close();
    }

    @Test
    void saysWhatIsThereBeforeItReturns() {
        // Given
        create(pod("web-1", "10.0.0.1"));
        // When
        source.watch();
        source.start(seen::add);
        // Then
        assertThat(source.synced()).isTrue();
        assertThat(seen).hasSize(1);
        assertThat(names(seen.getFirst())).containsExactly("shop/web-1");
    }

    @Test
    void saysEachChange() {
        // Given
        source.watch();
        source.start(seen::add);
        // When
        create(pod("web-1", "10.0.0.1"));
        // Then
        await().atMost(SOON).until(() -> names(seen.getLast()).equals(List.of("shop/web-1")));
        // When
        client.pods().inNamespace("shop").withName("web-1").edit(pod -> {
            pod.getStatus().setPodIP("10.0.0.9");
            return pod;
        });
        // Then
        await().atMost(SOON)
                .until(() -> seen.getLast().workloads().getFirst().address().equals("10.0.0.9"));
        // When
        client.pods().inNamespace("shop").withName("web-1").withGracePeriod(0).delete();
        // Then
        await().atMost(SOON).until(() -> seen.getLast().workloads().isEmpty());
    }

    @Test
    void goesOnWithoutKindsNobodyDefinedAndSaysSo() {
        // When
        source.watch();
        source.start(seen::add);
        // Then
        assertThat(seen.getFirst().problems())
                .extracting(Problem::object)
                .contains(
                        Optional.of(new ObjectRef("CustomResourceDefinition", "", "trafficsplits.split.smi-spec.io")));
    }

    @Test
    void readsAKindInTheBestVersionServedOnceSomebodyDefinesIt() {
        // Given
        source.watch();
        source.start(seen::add);
        // When
        create("""
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: trafficsplits.split.smi-spec.io}
                spec:
                  group: split.smi-spec.io
                  scope: Namespaced
                  names: {kind: TrafficSplit, plural: trafficsplits, singular: trafficsplit}
                  versions:
                  - {name: v1alpha1, served: true, storage: false}
                  - {name: v1alpha2, served: true, storage: true}
                  - {name: v1alpha4, served: false, storage: false}
                """);
        client.genericKubernetesResources(new ResourceDefinitionContext.Builder()
                        .withGroup("split.smi-spec.io")
                        .withVersion("v1alpha2")
                        .withKind("TrafficSplit")
                        .withPlural("trafficsplits")
                        .withNamespaced(true)
                        .build())
                .inNamespace("shop")
                .load(new ByteArrayInputStream("""
                        apiVersion: split.smi-spec.io/v1alpha2
                        kind: TrafficSplit
                        metadata: {name: web, namespace: shop}
                        spec: {service: web, backends: [{service: web-1, weight: 1}]}
                        """.getBytes(UTF_8)))
                .create();
        // Then
        await().atMost(SOON).until(() -> seen.getLast().splits().size() == 1);
        assertThat(seen.getLast().problems())
                .noneMatch(problem -> problem.toString().contains("trafficsplits"));
    }

    @Test
    void readsSettingsByTheirNameOnly() {
        // Given
        create("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: other, namespace: tulle-system}
                data: {access: closed}
                """);
        create("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: tulle-settings, namespace: tulle-system}
                data: {access: audit, mesh-networks: 10.0.0.0/8}
                """);
        // When
        source.watch();
        source.start(seen::add);
        // Then
        assertThat(seen.getFirst().settings().access()).containsEntry("access", "audit");
        assertThat(seen.getFirst().settings().networks()).containsExactly("10.0.0.0/8");
    }

    @Test
    void knowsHowTheApiServerKnowsAnObject() {
        // Given
        create(pod("web-1", "10.0.0.1"));
        source.watch();
        source.start(seen::add);
        // When
        ObjectReference reference =
                source.reference(new ObjectRef("Pod", "shop", "web-1")).orElseThrow();
        // Then
        assertThat(reference.getUid())
                .isEqualTo(client.pods()
                        .inNamespace("shop")
                        .withName("web-1")
                        .get()
                        .getMetadata()
                        .getUid())
                .isNotEmpty();
        assertThat(reference.getApiVersion()).isEqualTo("v1");
        assertThat(source.reference(new ObjectRef("Pod", "shop", "web-2"))).isEmpty();
    }

    @Test
    void startsOnce() {
        source.watch();
        source.start(seen::add);
        assertThatThrownBy(() -> source.start(seen::add)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(source::watch).isInstanceOf(IllegalStateException.class);
    }

    private static List<String> names(Resources resources) {
        return resources.workloads().stream()
                .map(WorkloadResource::id)
                .map(WorkloadId::toString)
                .toList();
    }

    private void create(String yaml) {
        HasMetadata object = client.getKubernetesSerialization().unmarshal(yaml);
        client.resource(object).create();
    }

    private static String pod(String name, String address) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: shop, labels: {app: web, tulle.dev/meshed: "true"}}
                spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
                status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: "True"}]}
                """.formatted(name, address);
    }
}
