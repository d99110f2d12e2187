package dev.tulle.controller.kubernetes;

import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.watch.ResourceSource;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.function.Consumer;

/** The objects of a cluster, watched through its API server. */
public final class KubernetesSource implements ResourceSource {
    private final KubernetesClient client;

    public KubernetesSource(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public void start(Consumer<Resources> listener) {
        client.namespaces().withName("default").get();
        listener.accept(Resources.builder().build());
    }

    @Override
    public void close() {}
}
