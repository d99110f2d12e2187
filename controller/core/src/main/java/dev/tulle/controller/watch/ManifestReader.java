package dev.tulle.controller.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.controller.lint.Manifest;
import dev.tulle.controller.lint.Manifests;
import dev.tulle.controller.lint.Manifests.Extent;
import dev.tulle.controller.resources.MeshSettings;
import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Origin;
import dev.tulle.controller.resources.Place;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceAccountResource;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import dev.tulle.controller.resources.WorkloadResource.Pod;
import dev.tulle.controller.watch.Fields.BadField;
import dev.tulle.controller.watch.YamlFile.Document;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads manifests as what they will be in a cluster: a Deployment stands for its pods, all well and with a proxy, unless they say they want none.
 *
 * <p>Documents that are no Kubernetes objects, and kinds that say nothing to a mesh, are passed over. What is wrong with one object is not
 * said here: whoever looks at the manifests reads them with the same readers. Not thread-safe.
 */
public final class ManifestReader {
    private static final String OURS = "tulle.dev/v1alpha1";
    private final String namespace;
    private final Resources.Builder resources = Resources.builder();
    private final SortedMap<ObjectRef, Origin> origins = new TreeMap<>();
    private final Problems problems = new Problems(origins);
    private final List<Manifest> objects = new ArrayList<>();
    private final Set<WorkloadId> pods = new HashSet<>();
    private final Set<String> unmeshed = new HashSet<>();
    private int addresses;

    private ManifestReader(String namespace) {
        this.namespace = namespace;
    }

    /**
     * Reads files.
     *
     * @param files text by name
     * @param namespace of objects that say none
     */
    public static Manifests read(SortedMap<String, String> files, String namespace) {
        ManifestReader reader = new ManifestReader(namespace);
        SortedMap<String, List<Document>> documents = new TreeMap<>();
        files.forEach((name, text) -> documents.put(name, reader.documents(name, text)));
        documents.forEach((file, all) -> all.forEach(document -> reader.object(file, document, Step.NAMESPACES)));
        documents.forEach((file, all) -> all.forEach(document -> reader.object(file, document, Step.OTHERS)));
        Resources read = reader.resources
                .origins(reader.origins)
                .problems(reader.problems.found())
                .build();
        return new Manifests(read, reader.objects, Extent.FILES);
    }

    /** Namespaces come first, as their labels hold for what is in them. */
    private enum Step {
        NAMESPACES,
        OTHERS
    }

    private List<Document> documents(String file, String text) {
        return switch (YamlFile.read(text)) {
            case YamlFile.Documents(List<Document> documents) -> documents;
            case YamlFile.Unreadable(int line, int column, String field, String message) -> {
                boolean isTemplate = text.contains("{{");
                problems.add(new Problem(
                        isTemplate ? Severity.WARNING : Severity.ERROR,
                        Optional.empty(),
                        Optional.of(new Place(file, line, column)),
                        field,
                        isTemplate
                                ? "looks like a template; make manifests of it first, as with helm template"
                                : message,
                        "the file is left out"));
                yield List.of();
            }
        };
    }

    private void object(String file, Document document, Step step) {
        JsonNode content = document.content();
        String apiVersion = content.path("apiVersion").asText("");
        String kind = content.path("kind").asText("");
        if (kind.endsWith("List") && content.path("items").isArray()) {
            for (int i = 0; i < content.path("items").size(); i++) {
                object(file, document.item(i), step);
            }
            return;
        }
        boolean isNamespace = kind.equals("Namespace");
        if (!(content instanceof ObjectNode written)
                || apiVersion.isEmpty()
                || kind.isEmpty()
                || !(content.path("metadata").isObject() || apiVersion.contains("smi-spec.io"))
                || isNamespace != (step == Step.NAMESPACES)) {
            return;
        }
        JsonNode metadata = content.path("metadata");
        String name = metadata.path("name")
                .asText(metadata.path("generateName").asText("").replaceFirst("[-.]+$", ""));
        String place = isNamespace ? "" : metadata.path("namespace").asText(namespace);
        ObjectRef ref = new ObjectRef(kind, place, name);
        Origin origin = new Origin(file, document.lines());
        Origin earlier = origins.putIfAbsent(ref, origin);
        if (earlier != null) {
            if (isRead(apiVersion, kind)) {
                problems.add(new Problem(
                        Severity.WARNING,
                        Optional.of(ref),
                        Optional.of(origin.at("metadata.name")),
                        "metadata.name",
                        "is defined at %s already; remove one, or make one manifest of a patch and what it patches, as with kubectl kustomize"
                                .formatted(earlier.at("metadata.name")),
                        "only the first one is looked at"));
            }
            return;
        }
        ObjectNode placed = written;
        if (!isNamespace && metadata.isObject() && !metadata.has("namespace")) {
            placed = written.deepCopy();
            placed.withObjectProperty("metadata").put("namespace", namespace);
        }
        objects.add(new Manifest(ref, placed, Optional.of(origin), read(apiVersion, ref, placed, origin)));
    }

    /** Kinds that say something to a mesh. */
    private static boolean isRead(String apiVersion, String kind) {
        return SmiReader.isSmi(apiVersion, kind) || (apiVersion.equals("v1") && kind.equals("Service"));
    }

    /** Takes an object among the resources; what its pods are called there, if it has any. */
    private Optional<ObjectRef> read(String apiVersion, ObjectRef ref, ObjectNode object, Origin origin) {
        Fields fields = Fields.of(object);
        boolean isNamed = CoreObjects.NAME.matcher(ref.name()).matches()
                && (ref.namespace().isEmpty()
                        || CoreObjects.NAME.matcher(ref.namespace()).matches());
        if (!isNamed && !SmiReader.isSmi(apiVersion, ref.kind())) {
            if (isRead(apiVersion, ref.kind()) || PodTemplates.path(object).isPresent()) {
                problems.error(
                        ref, "metadata", CoreObjects.notAName(ref.namespace() + "/" + ref.name()), "it is left out");
            }
            return Optional.empty();
        }
        if (SmiReader.isSmi(apiVersion, ref.kind())) {
            switch (SmiReader.read(object)) {
                case Parsed.Ok ok -> resources.add(ok.object());
                case Parsed.Bad bad -> bad.protects().ifPresent(resources::add);
            }
            return Optional.empty();
        }
        if (PodTemplates.path(object).isPresent()) {
            return PodTemplates.of(object).flatMap(template -> pod(ref, object, template, origin));
        }
        switch (apiVersion + " " + ref.kind()) {
            case "v1 Namespace" -> {
                JsonNode inject = object.at("/metadata/labels").path(ClusterObjects.INJECT);
                if (inject.asText().equals("disabled")) {
                    unmeshed.add(ref.name());
                }
                resources.add(new NamespaceResource(
                        ref.name(), fields.object("metadata").words("annotations")));
            }
            case "v1 Service" ->
                ClusterObjects.service(ref.namespace(), ref.name(), fields)
                        .filter(service -> fields.bad().isEmpty())
                        .map(service -> placed(service, fields))
                        .ifPresent(resources::add);
            case "v1 ServiceAccount" -> resources.add(new ServiceAccountResource(ref.namespace(), ref.name()));
            case OURS + " Workload" ->
                Optional.of(CoreObjects.workload(ref.namespace(), ref.name(), fields))
                        .filter(workload -> fields.bad().isEmpty())
                        .ifPresent(resources::add);
            case "v1 ConfigMap" -> {
                if (ref.equals(MeshSettings.CONFIG_MAP)) {
                    resources.settings(CoreObjects.settings(fields));
                }
            }
            default -> {
                // Says nothing to a mesh.
            }
        }
        for (BadField bad : fields.bad()) {
            problems.error(ref, bad.path(), bad.message(), "it is left out");
        }
        return Optional.empty();
    }

    /** A Service that does not ask for being headless will have an address (here one of RFC 3849). */
    private ServiceResource placed(ServiceResource service, Fields fields) {
        boolean isHeadless =
                fields.object("spec").text("clusterIP").filter("None"::equals).isPresent();
        return new ServiceResource(
                service.namespace(),
                service.name(),
                service.annotations(),
                service.selector(),
                isHeadless || !service.addresses().isEmpty()
                        ? service.addresses()
                        : List.of("2001:db8::%x".formatted(++addresses)),
                service.publishNotReady(),
                service.ports());
    }

    private Optional<ObjectRef> pod(ObjectRef maker, ObjectNode object, ObjectNode template, Origin origin) {
        ObjectNode pod = template.deepCopy();
        pod.remove("status");
        WorkloadId id = new WorkloadId(maker.namespace(), maker.name());
        if (!pods.add(id)) {
            id = new WorkloadId(
                    maker.namespace(), maker.name() + "-" + maker.kind().toLowerCase(Locale.ROOT));
            pods.add(id);
        }
        ObjectNode metadata =
                pod.get("metadata") instanceof ObjectNode own ? own : JsonNodeFactory.instance.objectNode();
        metadata.put("name", id.name()).put("namespace", id.namespace()).remove("ownerReferences");
        pod.set("metadata", metadata);
        Optional<WorkloadResource> read =
                ClusterObjects.pod(id.namespace(), id.name(), Fields.of(pod)).map(ClusterObjects.RunningPod::workload);
        if (read.isEmpty()) {
            return Optional.empty();
        }
        WorkloadResource workload = read.get();
        if (!CoreObjects.NAME.matcher(workload.serviceAccount()).matches()) {
            problems.error(maker, "spec", CoreObjects.notAName(workload.serviceAccount()), "its pods are left out");
            return Optional.empty();
        }
        String asked = workload.labels().getOrDefault(ClusterObjects.INJECT, "");
        boolean isMeshed = !pod.at("/spec/hostNetwork").asBoolean()
                && !asked.equals("disabled")
                && (!unmeshed.contains(id.namespace()) || asked.equals("enabled"));
        WorkloadResource ready = new WorkloadResource(
                id,
                workload.owner(),
                workload.serviceAccount(),
                workload.labels(),
                workload.annotations(),
                workload.address(),
                workload.ports(),
                List.of(),
                Optional.empty(),
                Optional.of(new Pod(isMeshed, List.of(), Pod.Serving.READY, List.of(), List.of(), "")));
        resources.add(ready);
        ObjectRef ref = ready.ref();
        if (!ref.equals(maker)) {
            String path = String.join(".", PodTemplates.path(object).orElse(List.of()));
            origins.putIfAbsent(ref, origin.below(path));
        }
        return Optional.of(ref);
    }
}
