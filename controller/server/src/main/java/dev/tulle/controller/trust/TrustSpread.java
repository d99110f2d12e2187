package dev.tulle.controller.trust;

import dev.tulle.controller.api.Controller.OwnProblem;
import dev.tulle.controller.identity.AuthorityState;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.RootRotation;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.TrustBundle;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.informers.cache.ReducedStateItemStore;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Keeps whom to trust in the ConfigMap {@code tulle-trust} of every namespace with meshed pods, where a proxy that starts reads it.
 *
 * <p>That is: namespaces labelled for injection, those with injected pods, and our own, where it also marks that there was an authority.
 * What somebody edited or deleted is written again; what is no longer needed goes, if it is ours. A rotation of the root goes on only
 * after every one of them holds what the present phase trusts; and an old root is dropped only after nodes had the time to renew the file
 * in running pods. {@link #spread} runs on one thread.
 */
final class TrustSpread implements AutoCloseable {
    static final String KEY = "trust.json";

    /** How long a node may take to renew a ConfigMap's file: its sync period and its cache, one minute each. */
    static final Duration MOUNTED = Duration.ofMinutes(2);

    private static final String INJECT = "tulle.dev/inject";
    private static final String MESHED = "tulle.dev/meshed";
    private static final int MAX_NAMED = 3;
    private static final Logger LOG = Logger.getLogger(TrustSpread.class);

    /**
     * What all namespaces held, and since when.
     *
     * @param anchors PEM
     */
    private record Held(Set<String> anchors, Instant since) {}

    private final KubernetesClient client;
    private final CertificateAuthority authority;
    private final Clock clock;
    private final SharedIndexInformer<Namespace> namespaces;
    private final SharedIndexInformer<Pod> pods;
    private final SharedIndexInformer<ConfigMap> configMaps;
    private volatile SortedMap<String, String> failing = new TreeMap<>();
    private volatile Optional<Held> held = Optional.empty();

    TrustSpread(KubernetesClient client, CertificateAuthority authority, Clock clock) {
        this.client = client;
        this.authority = authority;
        this.clock = clock;
        this.namespaces = client.namespaces().withLabel(INJECT, "enabled").runnableInformer(0);
        this.pods = client.pods().inAnyNamespace().withLabel(MESHED, "true").runnableInformer(0);
        this.configMaps = client.configMaps()
                .inAnyNamespace()
                .withField("metadata.name", Owned.TRUST)
                .runnableInformer(0);
        // Of pods only their names count.
        pods.itemStore(new ReducedStateItemStore<>(
                ReducedStateItemStore.NAME_KEY_STATE, Pod.class, client.getKubernetesSerialization()));
    }

    /**
     * Begins to watch.
     *
     * @param changed called from a thread of the client when it may be time to {@link #spread}; must not block
     */
    void watch(Runnable changed) {
        for (SharedIndexInformer<? extends HasMetadata> informer : List.of(namespaces, pods, configMaps)) {
            watch(informer, changed);
        }
    }

    private static <T extends HasMetadata> void watch(SharedIndexInformer<T> informer, Runnable changed) {
        informer.exceptionHandler((started, failure) -> true); // A watch that breaks begins anew, for ever.
        informer.addEventHandler(new ResourceEventHandler<T>() {
            @Override
            public void onAdd(T added) {
                changed.run();
            }

            @Override
            public void onUpdate(T before, T after) {
                changed.run();
            }

            @Override
            public void onDelete(T deleted, boolean unknown) {
                changed.run();
            }
        });
        var unused = informer.start();
    }

    /** What could not be written. */
    Optional<OwnProblem> problem() {
        SortedMap<String, String> now = failing;
        if (now.isEmpty()) {
            return Optional.empty();
        }
        String first = now.firstKey();
        return Optional.of(new OwnProblem(
                "ConfigMap " + first + "/" + Owned.TRUST,
                "could not be written in %d namespaces (%s): %s; pods that start there do not find whom to trust"
                        .formatted(
                                now.size(),
                                now.keySet().stream().limit(MAX_NAMED).collect(Collectors.joining(", ")),
                                now.get(first)),
                "it is tried again, a rotation of the root waits"));
    }

    /** Writes what is missing or wrong and removes what is no longer needed. */
    void spread() {
        if (!namespaces.hasSynced() || !pods.hasSynced() || !configMaps.hasSynced()) {
            return;
        }
        TrustBundle bundle = authority.trust();
        String text = ProxyCodec.encode(bundle);
        SortedSet<String> needed = needed();
        SortedMap<String, String> failed = new TreeMap<>();
        for (String namespace : needed) {
            if (!isRight(configMaps.getStore().getByKey(namespace + "/" + Owned.TRUST), text)) {
                write(namespace, text).ifPresent(why -> failed.put(namespace, why));
            }
        }
        for (ConfigMap one : configMaps.getStore().list()) {
            if (!needed.contains(one.getMetadata().getNamespace()) && isOurs(one)) {
                remove(one);
            }
        }
        failing = failed;
        Set<String> anchors = Set.copyOf(bundle.anchors());
        if (!failed.isEmpty()) {
            held = Optional.empty();
        } else if (!held.map(Held::anchors).equals(Optional.of(anchors))) {
            held = Optional.of(new Held(anchors, clock.instant()));
            LOG.infof("trust spread namespaces=%d roots=%d", needed.size(), anchors.size());
        }
    }

    /** Whether the rotation may go on, as far as files in namespaces and pods are concerned. From any thread. */
    boolean allows(AuthorityState state) {
        Optional<Held> now = held;
        if (now.isEmpty() || !now.get().anchors().containsAll(state.trust().anchors())) {
            return false;
        }
        return !(state.rotation() instanceof RootRotation.Signing)
                || !clock.instant().isBefore(now.get().since().plus(MOUNTED));
    }

    private SortedSet<String> needed() {
        SortedSet<String> needed = new TreeSet<>();
        needed.add(Owned.NAMESPACE);
        for (Namespace namespace : namespaces.getStore().list()) {
            if (namespace.getMetadata().getDeletionTimestamp() == null) {
                needed.add(namespace.getMetadata().getName());
            }
        }
        for (String key : pods.getStore().listKeys()) {
            needed.add(key.substring(0, key.indexOf('/')));
        }
        return needed;
    }

    private static boolean isRight(@Nullable ConfigMap there, String text) {
        return there != null
                && there.getData() != null
                && text.equals(there.getData().get(KEY))
                && isOurs(there);
    }

    private static boolean isOurs(ConfigMap one) {
        Map<String, String> labels = one.getMetadata().getLabels();
        return labels != null && Owned.CONTROLLER.equals(labels.get(Owned.MANAGED_BY));
    }

    /** Why it could not be written; empty when it was, or when the namespace ends. */
    private Optional<String> write(String namespace, String text) {
        ConfigMap wanted = new ConfigMapBuilder()
                .withNewMetadata()
                .withName(Owned.TRUST)
                .withNamespace(namespace)
                .withLabels(Owned.LABELS)
                .endMetadata()
                .withData(Map.of(KEY, text))
                .build();
        try {
            ConfigMap unused = client.resource(wanted).patch(Owned.apply(Owned.CONTROLLER));
            return Optional.empty();
        } catch (KubernetesClientException e) {
            String reason = Owned.reason(e);
            if (e.getCode() == Owned.NOT_FOUND || reason.contains("being terminated")) {
                return Optional.empty();
            }
            LOG.warnf("trust not written namespace=%s cause=%s", namespace, reason);
            return Optional.of(reason);
        }
    }

    private void remove(ConfigMap one) {
        try {
            var unused = client.resource(one)
                    .lockResourceVersion(one.getMetadata().getResourceVersion())
                    .delete();
            LOG.infof("trust no longer needed namespace=%s", one.getMetadata().getNamespace());
        } catch (KubernetesClientException e) {
            LOG.debugf(
                    "trust not removed namespace=%s cause=%s", one.getMetadata().getNamespace(), Owned.reason(e));
        }
    }

    @Override
    public void close() {
        namespaces.close();
        pods.close();
        configMaps.close();
    }
}
