package dev.tulle.controller.webhook;

import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.resources.MeshSettings;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What injected pods are made of: the proxy's image, from the controller's own environment, and what {@code tulle-settings} says of it.
 */
final class ClusterSettings implements Supplier<InjectSettings>, AutoCloseable {
    private static final List<String> PULL_POLICIES = List.of("Always", "IfNotPresent", "Never");

    private final InjectSettings usual;
    private final SharedIndexInformer<ConfigMap> informer;

    /**
     * Begins to watch the settings.
     *
     * @param environment {@code TULLE_PROXY_IMAGE} (default: {@code tulle/tulle-proxy} of this version) and {@code TULLE_PROXY_PULL_POLICY}
     * @param version of the controller, which is that of the proxies it injects
     * @throws IllegalStateException when a variable is wrong
     */
    ClusterSettings(KubernetesClient client, Map<String, String> environment, String version) {
        Optional<String> pullPolicy =
                Optional.ofNullable(environment.get("TULLE_PROXY_PULL_POLICY")).filter(text -> !text.isEmpty());
        if (pullPolicy.isPresent() && !PULL_POLICIES.contains(pullPolicy.get())) {
            throw new IllegalStateException("TULLE_PROXY_PULL_POLICY is '%s': write one of %s"
                    .formatted(pullPolicy.get(), String.join(", ", PULL_POLICIES)));
        }
        usual = new InjectSettings(
                Optional.ofNullable(environment.get("TULLE_PROXY_IMAGE"))
                        .filter(text -> !text.isEmpty())
                        .orElse("tulle/tulle-proxy:" + version),
                pullPolicy,
                version,
                InjectSettings.CONTROLLER,
                false);
        informer = client.configMaps()
                .inNamespace(MeshSettings.CONFIG_MAP.namespace())
                .withName(MeshSettings.CONFIG_MAP.name())
                .runnableInformer(0);
        informer.start();
    }

    @Override
    public InjectSettings get() {
        boolean osm = informer.getStore().list().stream()
                .map(ConfigMap::getData)
                .anyMatch(data -> data != null && "osm".equals(data.get(MeshSettings.COMPAT)));
        return new InjectSettings(usual.image(), usual.pullPolicy(), usual.version(), usual.controller(), osm);
    }

    @Override
    public void close() {
        informer.stop();
    }
}
