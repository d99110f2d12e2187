package dev.tulle.conformance.smi.harness;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** The cluster of this run: its API, the namespaces made in it, and one pod outside of the mesh. Safe for use by many threads. */
public final class Cluster implements AutoCloseable {
    /** How long the API server may take for one answer. */
    private static final int ANSWER_MILLIS = 20_000;

    private static volatile @Nullable Cluster current;

    private final Target target;
    private final KubernetesClient client;
    private final Set<String> namespaces = ConcurrentHashMap.newKeySet();
    private @Nullable App tester;

    private Cluster(Target target, KubernetesClient client) {
        this.target = target;
        this.client = client;
    }

    /**
     * Makes it the one that all cases of this run use. Asks nothing of it yet.
     *
     * @throws IllegalArgumentException if the kubeconfig does not have the context
     */
    public static Cluster use(Target target) {
        // The only way by which fabric8 takes both a file and a context of it.
        target.kubeconfig().ifPresent(file -> System.setProperty(Config.KUBERNETES_KUBECONFIG_FILE, file.toString()));
        Config config = Config.autoConfigure(target.context().orElse(null));
        if (target.context().isPresent()
                && (config.getCurrentContext() == null
                        || !target.context()
                                .get()
                                .equals(config.getCurrentContext().getName()))) {
            throw new IllegalArgumentException(
                    "the kubeconfig has no context " + target.context().get());
        }
        config = new ConfigBuilder(config)
                .withRequestTimeout(ANSWER_MILLIS)
                .withConnectionTimeout(ANSWER_MILLIS)
                .withRequestRetryBackoffLimit(3)
                .build();
        Cluster cluster = new Cluster(
                target, new KubernetesClientBuilder().withConfig(config).build());
        current = cluster;
        return cluster;
    }

    /** The one of this run. */
    public static Cluster current() {
        Cluster cluster = current;
        if (cluster == null) {
            throw new IllegalStateException("cases run by conformance/smi/run only: no cluster was named");
        }
        return cluster;
    }

    /** Kubernetes' version, as {@code v1.36.3}; also the proof that the cluster answers. */
    public String version() {
        return client.getKubernetesVersion().getGitVersion();
    }

    /** Where its API server is, for messages. */
    public String address() {
        return client.getMasterUrl().toString();
    }

    public Target target() {
        return target;
    }

    /** A CustomResourceDefinition as the API server gives it, if it is there. */
    public Optional<JsonNode> definition(String name) {
        return Optional.ofNullable(
                        client.genericKubernetesResources("apiextensions.k8s.io/v1", "CustomResourceDefinition")
                                .withName(name)
                                .get())
                .map(found -> Json.MAPPER.<JsonNode>valueToTree(found));
    }

    KubernetesClient client() {
        return client;
    }

    /** A new namespace, its name beginning with {@code smi-name-}, in the mesh or outside of it. */
    public Place place(String name, boolean meshed) {
        String full = "smi-%s-%04x".formatted(name, ThreadLocalRandom.current().nextInt(1 << 16));
        namespaces.add(full);
        return Place.create(this, full, meshed);
    }

    /** A pod outside of the mesh in a namespace of its own, for calls as the published suite makes them. */
    public synchronized App tester() {
        App known = tester;
        if (known == null) {
            Place place = place("tester", false);
            known = App.start(place, Pod.named("tester"));
            place.awaitReady();
            tester = known;
        }
        return known;
    }

    /** Asks for the namespace's end and does not wait for it. */
    public void remove(String namespace) {
        client.namespaces().withName(namespace).withGracePeriod(0).delete();
        namespaces.remove(namespace);
    }

    /** Asks for the end of all namespaces of this run that are left. */
    @Override
    public void close() {
        namespaces.forEach(this::remove);
        client.close();
        current = null;
    }
}
