package dev.tulle.controller.webhook;

import dev.tulle.controller.inject.NamespaceView;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.Map;
import java.util.Optional;

/** The namespaces of a cluster: watched, and asked for one by one where that is not enough. */
final class ClusterNamespaces implements Namespaces, AutoCloseable {
    private final KubernetesClient client;
    private final SharedIndexInformer<Namespace> informer;

    ClusterNamespaces(KubernetesClient client) {
        this.client = client;
        this.informer = client.namespaces().runnableInformer(0);
        informer.start();
    }

    @Override
    public NamespaceView known(String name) {
        return Optional.ofNullable(informer.getIndexer().getByKey(name))
                .map(ClusterNamespaces::view)
                .orElseGet(() -> now(name));
    }

    @Override
    public NamespaceView now(String name) {
        try {
            return Optional.ofNullable(client.namespaces().withName(name).get())
                    .map(ClusterNamespaces::view)
                    .orElseGet(() -> NamespaceView.of(name, Map.of(), Map.of()));
        } catch (KubernetesClientException e) {
            throw new IllegalStateException("Namespace %s cannot be read: %s".formatted(name, e.getMessage()), e);
        }
    }

    private static NamespaceView view(Namespace namespace) {
        return NamespaceView.of(
                namespace.getMetadata().getName(),
                Optional.ofNullable(namespace.getMetadata().getLabels()).orElse(Map.of()),
                Optional.ofNullable(namespace.getMetadata().getAnnotations()).orElse(Map.of()));
    }

    @Override
    public void close() {
        informer.stop();
    }
}
