package dev.tulle.controller.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.watch.ClusterReader;
import io.fabric8.kubernetes.api.model.APIResourceList;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.informers.cache.ItemStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Watches the objects of one kind, and hands each to the reader as it comes.
 *
 * <p>An informer lists, watches, and lists again when the API server has forgotten where it was (410) or was away, waiting longer each
 * time up to half a minute. It keeps no objects: the reader has what counts of them, the informer only their names.
 */
final class KindWatch implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(KindWatch.class);
    private static final int NOT_FOUND = 404;
    private static final long PAGE = 500;

    private final KubernetesClient client;
    private final WatchedKind kind;
    private final ClusterReader reader;
    private final Runnable changed;
    private volatile @Nullable SharedIndexInformer<GenericKubernetesResource> informer;
    private volatile @Nullable Names names;
    private volatile boolean looked;
    private volatile boolean waiting;
    private volatile boolean gone;
    private volatile Optional<String> failure = Optional.empty();

    /** @param changed told after each change, from the client's threads; must not block */
    KindWatch(KubernetesClient client, WatchedKind kind, ClusterReader reader, Runnable changed) {
        this.client = client;
        this.kind = kind;
        this.reader = reader;
        this.changed = changed;
    }

    /** Begins to watch when the kind is there; to be called again from time to time. Waits for answers of the API server. */
    synchronized void look() {
        if (informer != null && gone) {
            LOG.infof("kind not served just now kind=%s", kind.kind());
            stop();
        }
        if (informer != null) {
            return;
        }
        try {
            Served served = served();
            boolean first = !looked;
            waiting = served instanceof Served.NotYet;
            switch (served) {
                case Served.As(String version) -> watch(version);
                case Served.NotYet() -> LOG.debugf("kind not served yet kind=%s", kind.kind());
                case Served.Undefined() -> {
                    if (first) {
                        LOG.infof("kind not defined, waiting for it kind=%s group=%s", kind.kind(), kind.group());
                    }
                    reader.retain(kind.kind(), Set.of());
                    gone = false;
                    changed.run();
                }
            }
            looked = true;
        } catch (KubernetesClientException e) {
            failed(e);
        }
    }

    /** Whether a kind can be read. */
    private sealed interface Served {
        /** In this version, the best there is. */
        record As(String version) implements Served {}

        /** It is defined, and will be: what was read of it holds. */
        record NotYet() implements Served {}

        /** Nobody defined it, so there is none of it. */
        record Undefined() implements Served {}
    }

    /**
     * For a kind that somebody has to define only the definition counts: an API server that starts says for a moment of those, too,
     * which it is about to serve, that they are not there, and nobody must be let in for that.
     */
    private Served served() {
        if (kind.required()) {
            return new Served.As(kind.versions().getFirst());
        }
        if (kind.definition().isEmpty()) {
            return kind.versions().stream()
                    .filter(this::isListed)
                    .findFirst()
                    .<Served>map(Served.As::new)
                    .orElseGet(Served.Undefined::new);
        }
        CustomResourceDefinition definition = client.apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName(kind.definition().get())
                .get();
        if (definition == null) {
            return new Served.Undefined();
        }
        Set<String> served = definition.getSpec().getVersions().stream()
                .filter(version -> Boolean.TRUE.equals(version.getServed()))
                .map(CustomResourceDefinitionVersion::getName)
                .collect(Collectors.toSet());
        return kind.versions().stream()
                .filter(served::contains)
                .findFirst()
                .<Served>map(Served.As::new)
                .orElseGet(Served.NotYet::new);
    }

    private boolean isListed(String version) {
        APIResourceList resources = client.getApiResources(kind.apiVersion(version));
        return resources != null
                && resources.getResources().stream()
                        .anyMatch(resource -> kind.plural().equals(resource.getName()));
    }

    private void watch(String version) {
        ResourceDefinitionContext context = new ResourceDefinitionContext.Builder()
                .withGroup(kind.group())
                .withVersion(version)
                .withPlural(kind.plural())
                .withKind(kind.kind())
                .withNamespaced(kind.namespaced())
                .build();
        var all = client.genericKubernetesResources(context);
        Informable<GenericKubernetesResource> which = switch (kind.which()) {
            case WatchedKind.Which.All() -> kind.namespaced() ? all.inAnyNamespace() : all;
            case WatchedKind.Which.Named(String namespace, String name) ->
                all.inNamespace(namespace).withField("metadata.name", name);
            case WatchedKind.Which.Without(String label, String value) ->
                all.inAnyNamespace().withLabelNotIn(label, value);
        };
        gone = false;
        SharedIndexInformer<GenericKubernetesResource> made =
                which.withLimit(PAGE).runnableInformer(0).exceptionHandler(this::retry);
        made.removeNamespaceIndex();
        Names there = new Names(kind.apiVersion(version));
        made.itemStore(there);
        names = there;
        informer = made;
        var unused = made.start();
        LOG.debugf("kind watched kind=%s version=%s", kind.kind(), version);
    }

    private boolean retry(boolean started, Throwable cause) {
        if (cause instanceof KubernetesClientException refused && refused.getCode() == NOT_FOUND && !kind.required()) {
            gone = true;
            return false;
        }
        failed(cause);
        return true;
    }

    private void failed(Throwable cause) {
        String text = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        if (failure.isEmpty()) {
            LOG.warnf("objects not read kind=%s cause=%s", kind.kind(), text);
            failure = Optional.of(text);
            changed.run();
        }
    }

    private void read() {
        if (failure.isPresent()) {
            LOG.infof("objects read again kind=%s", kind.kind());
            failure = Optional.empty();
        }
        changed.run();
    }

    /** The kind that is watched. */
    String kind() {
        return kind.kind();
    }

    /** How the API server knows an object; absent when there is none of that name. */
    Optional<ObjectReference> reference(ObjectRef ref) {
        Names there = names;
        String key = ref.namespace().isEmpty() ? ref.name() : ref.namespace() + "/" + ref.name();
        GenericKubernetesResource object = there == null ? null : there.get(key);
        return Optional.ofNullable(object)
                .map(found -> new ObjectReferenceBuilder()
                        .withApiVersion(there == null ? "" : there.apiVersion)
                        .withKind(kind.kind())
                        .withNamespace(found.getMetadata().getNamespace())
                        .withName(found.getMetadata().getName())
                        .withUid(found.getMetadata().getUid())
                        .withResourceVersion(found.getMetadata().getResourceVersion())
                        .build());
    }

    /** Whether everything there is of the kind was read, or it is known not to be there. Never waits: event loops ask. */
    boolean synced() {
        SharedIndexInformer<GenericKubernetesResource> there = informer;
        return there == null ? looked && !waiting && !gone && !kind.required() : there.hasSynced();
    }

    /** What is wrong with the watching; absent when nothing is. */
    Optional<Problem> problem() {
        SharedIndexInformer<GenericKubernetesResource> there = informer;
        Optional<String> why = failure;
        if (why.isPresent() && (there == null || !there.isWatching())) {
            return Optional.of(new Problem(
                    Severity.ERROR,
                    Optional.empty(),
                    Optional.empty(),
                    "",
                    "%s objects cannot be read from the API server: %s".formatted(kind.kind(), why.get()),
                    "what was read before holds; it is tried again, at least each half minute"));
        }
        if (there == null && looked && !waiting && !gone && kind.definition().isPresent()) {
            return Optional.of(new Problem(
                    Severity.WARNING,
                    Optional.of(new ObjectRef(
                            "CustomResourceDefinition", "", kind.definition().get())),
                    Optional.empty(),
                    "",
                    "is not there, so no %s can be: apply install/tulle.yaml".formatted(kind.kind()),
                    "it is picked up when it comes"));
        }
        return Optional.empty();
    }

    private void stop() {
        SharedIndexInformer<GenericKubernetesResource> running = informer;
        informer = null;
        names = null;
        if (running != null) {
            running.stop();
        }
    }

    @Override
    public synchronized void close() {
        stop();
    }

    /** Remembers which objects there are, and passes on what they say. */
    private final class Names implements ItemStore<GenericKubernetesResource> {
        private final Map<String, GenericKubernetesResource> byKey = new ConcurrentHashMap<>();
        private final String apiVersion;

        Names(String apiVersion) {
            this.apiVersion = apiVersion;
        }

        @Override
        public String getKey(GenericKubernetesResource object) {
            return Cache.metaNamespaceKeyFunc(object);
        }

        @Override
        public @Nullable GenericKubernetesResource put(String key, GenericKubernetesResource object) {
            ObjectMeta metadata = object.getMetadata();
            metadata.setManagedFields(List.of());
            // Items of a list come without their kind.
            object.setKind(kind.kind());
            object.setApiVersion(apiVersion);
            reader.put(client.getKubernetesSerialization().convertValue(object, JsonNode.class));
            GenericKubernetesResource before = byKey.put(key, nameOf(metadata));
            read();
            return before;
        }

        @Override
        public @Nullable GenericKubernetesResource remove(String key) {
            GenericKubernetesResource before = byKey.remove(key);
            if (before != null) {
                String namespace = before.getMetadata().getNamespace();
                reader.remove(new ObjectRef(
                        kind.kind(),
                        namespace == null ? "" : namespace,
                        before.getMetadata().getName()));
                read();
            }
            return before;
        }

        private GenericKubernetesResource nameOf(ObjectMeta metadata) {
            ObjectMeta name = new ObjectMeta();
            name.setName(metadata.getName());
            name.setNamespace(metadata.getNamespace());
            name.setResourceVersion(metadata.getResourceVersion());
            name.setUid(metadata.getUid());
            GenericKubernetesResource stub = new GenericKubernetesResource();
            stub.setMetadata(name);
            return stub;
        }

        @Override
        public Stream<String> keySet() {
            return byKey.keySet().stream();
        }

        @Override
        public Stream<GenericKubernetesResource> values() {
            return byKey.values().stream();
        }

        @Override
        public int size() {
            return byKey.size();
        }

        @Override
        public @Nullable GenericKubernetesResource get(String key) {
            return byKey.get(key);
        }

        @Override
        public boolean isFullState() {
            return false;
        }
    }
}
