package dev.tulle.controller.kubernetes;

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
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
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
