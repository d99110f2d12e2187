package dev.tulle.controller.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import dev.tulle.controller.watch.Fields.BadField;
import dev.tulle.controller.watch.YamlFile.Document;
import dev.tulle.smi.FieldProblem;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiKind;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.SmiReader;
import dev.tulle.smi.TrafficTarget;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes resources of the documents of a directory.
 *
 * <p>Remembers the last good form of each object: one that is bad now stays as it was, but for access rules, which then grant
 * nothing. Not thread-safe.
 */
final class ResourceReader {
    private static final String OURS = "tulle.dev/v1alpha1";
    private Map<ObjectRef, Object> lastGood = Map.of();

    /**
     * All objects of all files.
     *
     * @param files documents by file name; of two objects of one name the one in the first file holds
     * @param problems of files that could not be read
     */
    Resources read(SortedMap<String, List<Document>> files, List<Problem> problems) {
        Reading reading = new Reading();
        problems.forEach(reading.problems::add);
        files.forEach((file, documents) -> documents.forEach(document -> reading.document(file, document)));
        lastGood = Map.copyOf(reading.good);
        return reading.resources();
    }

    /** One pass over all documents. */
    private final class Reading {
        private final SortedMap<ObjectRef, Origin> origins = new TreeMap<>();
        private final Problems problems = new Problems(origins);
        private final Map<ObjectRef, Object> good = new HashMap<>();
        private final List<TrafficTarget> nameless = new ArrayList<>();

        Resources resources() {
            Resources.Builder builder = Resources.builder();
            good.values().forEach(object -> add(object, builder));
            nameless.forEach(builder::add);
            return builder.origins(origins).problems(problems.found()).build();
        }

        void document(String file, Document document) {
            JsonNode content = document.content();
            String apiVersion = content.path("apiVersion").asText("");
            String kind = content.path("kind").asText("");
            if (apiVersion.isEmpty() || kind.isEmpty()) {
                noObject(
                        file,
                        document,
                        apiVersion.isEmpty() ? "apiVersion" : "kind",
                        "is missing; every document needs both");
                return;
            }
            if (kind.equals("List") && apiVersion.equals("v1")) {
                for (int i = 0; i < content.path("items").size(); i++) {
                    document(file, document.item(i));
                }
                return;
            }
            Fields fields = Fields.of(content);
            Fields metadata = fields.object("metadata");
            String name = metadata.required("name");
            String namespace =
                    kind.equals("Namespace") ? "" : metadata.text("namespace").orElse("default");
            checkName(metadata, "name", name);
            if (!kind.equals("Namespace")) {
                checkName(metadata, "namespace", namespace);
            }
            if (!fields.bad().isEmpty()) {
                fields.bad().forEach(bad -> noObject(file, document, bad.path(), kind + ": " + bad.message()));
                guard(apiVersion, content, "unnamed-" + nameless.size());
                return;
            }
            ObjectRef ref = new ObjectRef(kind, namespace, name);
            if (apiVersion.equals("v1") && kind.equals("ConfigMap") && !ref.equals(MeshSettings.CONFIG_MAP)) {
                otherConfigMap(file, document, ref);
                return;
            }
            Origin earlier = origins.putIfAbsent(ref, new Origin(file, document.lines()));
            if (earlier != null) {
                problems.add(new Problem(
                        Severity.ERROR,
                        Optional.of(ref),
                        Optional.of(new Origin(file, document.lines()).at("metadata.name")),
                        "metadata.name",
                        "is defined at %s already".formatted(earlier.at("metadata.name")),
                        "the first one holds"));
                guard(apiVersion, content, name);
                return;
            }
            if (SmiReader.isSmi(apiVersion, kind)) {
                smi(ref, SmiReader.read(content));
            } else {
                core(apiVersion, ref, fields);
            }
        }

        private void checkName(Fields metadata, String field, String name) {
            if (!name.isEmpty() && !CoreObjects.NAME.matcher(name).matches()) {
                metadata.bad(field, CoreObjects.notAName(name));
            }
        }

        /** A TrafficTarget that has no name, or one that is taken, still closes what it was to guard. */
        private void guard(String apiVersion, JsonNode content, String name) {
            if (!SmiKind.of(apiVersion, content.path("kind").asText()).equals(Optional.of(SmiKind.TRAFFIC_TARGET))) {
                return;
            }
            ObjectNode named = content.deepCopy();
            JsonNode metadata = named.path("metadata");
            named.putObject("metadata")
                    .put("name", name)
                    .put("namespace", metadata.path("namespace").asText("default"));
            switch (SmiReader.read(named)) {
                case Parsed.Ok(SmiObject object, List<FieldProblem> warnings) -> {
                    if (object instanceof TrafficTarget target) {
                        nameless.add(SmiObjects.onlyGuarding(target));
                    }
                }
                case Parsed.Bad(List<FieldProblem> bad, Optional<TrafficTarget> protects) ->
                    protects.ifPresent(nameless::add);
            }
        }

        private void noObject(String file, Document document, String field, String message) {
            Place place = new Origin(file, document.lines()).at(field);
            problems.add(new Problem(
                    Severity.ERROR, Optional.empty(), Optional.of(place), field, message, "the document is left out"));
        }

        private void otherConfigMap(String file, Document document, ObjectRef ref) {
            if (ref.name().equals(MeshSettings.CONFIG_MAP.name())) {
                problems.add(new Problem(
                        Severity.WARNING,
                        Optional.of(ref),
                        Optional.of(new Origin(file, document.lines()).at("metadata.namespace")),
                        "metadata.namespace",
                        "settings of the mesh are read from namespace %s only"
                                .formatted(MeshSettings.CONFIG_MAP.namespace()),
                        "left out"));
            }
        }

        private void core(String apiVersion, ObjectRef ref, Fields fields) {
            String namespace = ref.namespace();
            String name = ref.name();
            switch (apiVersion + " " + ref.kind()) {
                case "v1 Namespace" ->
                    keep(
                            ref,
                            fields,
                            new NamespaceResource(
                                    name, fields.object("metadata").words("annotations")));
                case "v1 Service" -> keep(ref, fields, CoreObjects.service(namespace, name, fields));
                case "v1 ServiceAccount" -> keep(ref, fields, new ServiceAccountResource(namespace, name));
                case OURS + " Workload" -> keep(ref, fields, CoreObjects.workload(namespace, name, fields));
                case "v1 ConfigMap" -> {
                    good.put(ref, CoreObjects.settings(fields));
                    for (BadField bad : fields.bad()) {
                        problems.error(ref, bad.path(), bad.message(), "this setting is left out, the others hold");
                    }
                }
                default ->
                    problems.warning(
                            ref,
                            "kind",
                            "%s of %s is not a kind that is read here".formatted(ref.kind(), apiVersion),
                            "left out");
            }
        }

        private void keep(ObjectRef ref, Fields fields, Object object) {
            if (fields.bad().isEmpty()) {
                good.put(ref, object);
                return;
            }
            String outcome = restore(ref);
            fields.bad().forEach(bad -> problems.error(ref, bad.path(), bad.message(), outcome));
        }

        /** Brings back the last good form of an object, if there is one; says which happened. */
        private String restore(ObjectRef ref) {
            Object last = lastGood.get(ref);
            if (last == null) {
                return "left out";
            }
            good.put(ref, last);
            return "kept as it was before";
        }

        private void smi(ObjectRef ref, Parsed parsed) {
            SmiObjects.Taken taken = SmiObjects.take(ref.kind(), parsed, Optional.ofNullable(lastGood.get(ref)));
            taken.value().ifPresent(object -> good.put(ref, object));
            taken.warnings()
                    .forEach(warning ->
                            problems.warning(ref, warning.field(), warning.message(), SmiObjects.STILL_HOLDS));
            taken.errors().forEach(error -> problems.error(ref, error.field(), error.message(), taken.outcome()));
        }
    }

    private static void add(Object object, Resources.Builder builder) {
        switch (object) {
            case NamespaceResource namespace -> builder.add(namespace);
            case ServiceResource service -> builder.add(service);
            case ServiceAccountResource account -> builder.add(account);
            case WorkloadResource workload -> builder.add(workload);
            case MeshSettings settings -> builder.settings(settings);
            case SmiObject smi -> builder.add(smi);
            default -> throw new IllegalStateException("read a " + object.getClass());
        }
    }
}
