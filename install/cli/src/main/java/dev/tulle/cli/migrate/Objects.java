package dev.tulle.cli.migrate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.cli.inject.ManifestText;
import dev.tulle.cli.migrate.Note.Outcome;
import dev.tulle.controller.inject.PodTemplates;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Everything that is migrated: objects that rules change or leave out, new ones, and what is said of them. Not thread-safe. */
final class Objects {
    /** Where objects go that nobody wrote before. */
    static final String NEW_FILE = "tulle-migrated.yaml";

    private static final List<String> OF_THE_CLUSTER = List.of(
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
            "deletionTimestamp");

    /** Annotations that controllers of Kubernetes or kubectl wrote. */
    private static final List<String> BY_KUBERNETES = List.of(
            "kubectl.kubernetes.io/last-applied-configuration",
            "deployment.kubernetes.io/revision",
            "deprecated.daemonset.template.generation");

    private final List<Part> parts = new ArrayList<>();
    private final List<Item> added = new ArrayList<>();
    private final List<Note> notes = new ArrayList<>();

    /** One document of a file: its text, and the object it is, or the objects it lists; none for a document that is no object. */
    private record Part(String file, String text, boolean isList, List<Item> items) {}

    /** One object. */
    static final class Item {
        final String file;
        final ObjectNode value;
        private final JsonNode before;
        private boolean isLeftOut;
        private boolean isSaid;

        private Item(String file, ObjectNode value) {
            this.file = file;
            this.value = value;
            this.before = value.deepCopy();
        }

        String kind() {
            return value.path("kind").asText();
        }

        /** The API group; empty for the core. */
        String group() {
            String apiVersion = value.path("apiVersion").asText();
            return apiVersion.contains("/") ? apiVersion.substring(0, apiVersion.indexOf('/')) : "";
        }

        String name() {
            return value.at("/metadata/name").asText();
        }

        String namespace() {
            return kind().equals("Namespace")
                    ? ""
                    : value.at("/metadata/namespace").asText("default");
        }

        /** The pods it makes, if it makes some. */
        Optional<ObjectNode> template() {
            return PodTemplates.of(value);
        }

        /** What the path of a field of its pods begins with. */
        String templatePrefix() {
            String path = String.join(".", PodTemplates.path(value).orElse(List.of()));
            return path.isEmpty() ? "" : path + ".";
        }

        /** Takes it out of what is written. */
        void leaveOut() {
            isLeftOut = true;
        }

        boolean isLeftOut() {
            return isLeftOut;
        }

        @Override
        public String toString() {
            return kind() + " " + (namespace().isEmpty() ? "" : namespace() + "/") + name();
        }
    }

    /**
     * Reads all objects.
     *
     * @throws IllegalArgumentException if a file is no YAML; the message is a sentence
     */
    Objects(SortedMap<String, String> files) {
        files.forEach((file, stream) -> {
            for (String text : ManifestText.documents(stream)) {
                try {
                    List<JsonNode> values = ManifestText.values(text);
                    if (values.isEmpty()) {
                        parts.add(new Part(file, text, false, List.of())); // Comments alone.
                    }
                    values.forEach(value -> part(file, text, value));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("%s: %s".formatted(file, e.getMessage()), e);
                }
            }
        });
    }

    private void part(String file, String text, JsonNode value) {
        List<Item> items = new ArrayList<>();
        boolean isList = value.path("kind").asText().endsWith("List")
                && value.path("items").isArray();
        for (JsonNode each : isList ? value.path("items") : List.of(value)) {
            if (each instanceof ObjectNode object && object.has("kind") && object.has("apiVersion")) {
                ObjectNode own = isList ? withoutClusterFields(object) : object.deepCopy();
                items.add(new Item(file, own));
            }
        }
        parts.add(new Part(file, text, isList, items));
    }

    /** An object as its author would have written it: what {@code kubectl get} adds is gone. */
    private static ObjectNode withoutClusterFields(ObjectNode object) {
        ObjectNode own = object.deepCopy();
        own.remove("status");
        if (own.get("metadata") instanceof ObjectNode metadata) {
            metadata.remove(OF_THE_CLUSTER);
            if (metadata.get("annotations") instanceof ObjectNode annotations) {
                annotations.remove(BY_KUBERNETES);
                if (annotations.isEmpty()) {
                    metadata.remove("annotations");
                }
            }
        }
        // A headless Service has its address by its author.
        if (own.path("kind").asText().equals("Service")
                && own.get("spec") instanceof ObjectNode spec
                && !spec.path("clusterIP").asText().equals("None")) {
            spec.remove(List.of("clusterIP", "clusterIPs"));
        }
        return own;
    }

    /** All objects that were read and are not left out. */
    List<Item> all() {
        return parts.stream()
                .flatMap(part -> part.items().stream())
                .filter(item -> !item.isLeftOut)
                .toList();
    }

    /** Those of a kind, in the core or in groups that end so. */
    List<Item> ofKind(String group, String kind) {
        return all().stream()
                .filter(item -> item.kind().equals(kind) && item.group().equals(group))
                .toList();
    }

    Optional<Item> find(String group, String kind, String namespace, String name) {
        return ofKind(group, kind).stream()
                .filter(item ->
                        item.namespace().equals(namespace) && item.name().equals(name))
                .findFirst();
    }

    /** Those whose pods a selector of labels selects, in a namespace. */
    List<Item> makersOf(String namespace, JsonNode selector) {
        if (!selector.isObject() || selector.isEmpty()) {
            return List.of();
        }
        return all().stream()
                .filter(item -> item.namespace().equals(namespace))
                .filter(item -> item.template()
                        .filter(template -> selector.properties().stream()
                                .allMatch(label -> template.at("/metadata/labels")
                                        .path(label.getKey())
                                        .asText("")
                                        .equals(label.getValue().asText())))
                        .isPresent())
                .toList();
    }

    /** A new object; its fields are for the caller to fill in. */
    ObjectNode add(String apiVersion, String kind, String namespace, String name) {
        ObjectNode value = JsonNodeFactory.instance
                .objectNode()
                .put("apiVersion", apiVersion)
                .put("kind", kind);
        value.putObject("metadata").put("name", name).put("namespace", namespace);
        added.add(new Item(NEW_FILE, value));
        return value;
    }

    void note(Outcome outcome, Item item, String field, String said, String cure) {
        item.isSaid = true;
        notes.add(new Note(outcome, item.file, item.toString(), field, said, cure));
    }

    void done(Item item, String field, String said) {
        note(Outcome.DONE, item, field, said, "");
    }

    /** A mapping inside an object, made where it is not there. */
    static ObjectNode mapping(ObjectNode object, String name) {
        return object.get(name) instanceof ObjectNode there ? there : object.putObject(name);
    }

    static ObjectNode annotations(ObjectNode object) {
        return mapping(mapping(object, "metadata"), "annotations");
    }

    static ObjectNode labels(ObjectNode object) {
        return mapping(mapping(object, "metadata"), "labels");
    }

    /** Takes a label or annotation away, and an empty mapping with it; what it said. */
    static Optional<String> take(ObjectNode object, String mapping, String key) {
        if (object.at("/metadata") instanceof ObjectNode metadata
                && metadata.get(mapping) instanceof ObjectNode entries
                && entries.has(key)) {
            String value = entries.remove(key).asText();
            if (entries.isEmpty()) {
                metadata.remove(mapping);
            }
            return Optional.of(value);
        }
        return Optional.empty();
    }

    /** What is to be written now, and every note; an object that nobody spoke of is untouched. */
    Migrated migrated() {
        Map<String, List<String>> texts = new LinkedHashMap<>();
        for (Part part : parts) {
            List<String> file = texts.computeIfAbsent(part.file(), name -> new ArrayList<>());
            if (part.items().isEmpty()) {
                file.add(part.text());
            }
            for (Item item : part.items()) {
                if (!item.isSaid) {
                    note(Outcome.UNTOUCHED, item, "", "is as it was", "");
                }
                if (!item.isLeftOut) {
                    file.add(part.isList() ? ManifestText.written(item.value) : text(part, item));
                }
            }
        }
        if (!added.isEmpty()) {
            texts.put(
                    NEW_FILE,
                    added.stream().map(item -> ManifestText.written(item.value)).toList());
        }
        SortedMap<String, String> files = new TreeMap<>();
        texts.forEach((name, documents) -> {
            if (!documents.isEmpty()) {
                files.put(name, joined(documents));
            }
        });
        return new Migrated(files, notes);
    }

    private String text(Part part, Item item) {
        return item.value.equals(item.before)
                ? part.text()
                : ManifestText.changed(part.text(), item.value, said -> note(Outcome.APPROXIMATED, item, "", said, ""));
    }

    private static String joined(List<String> documents) {
        StringBuilder all = new StringBuilder();
        for (String document : documents) {
            if (!all.isEmpty()) {
                all.append(all.charAt(all.length() - 1) == '\n' ? "" : "\n").append("---\n");
            }
            all.append(document);
        }
        return all.toString();
    }
}
