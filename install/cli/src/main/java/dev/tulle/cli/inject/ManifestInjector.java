package dev.tulle.cli.inject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.inject.Decision;
import dev.tulle.controller.inject.Injector;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.controller.inject.Tuning;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Puts proxies into the pods of manifests, or takes them out; everything else stays as it was written. */
public final class ManifestInjector {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Injector injector;
    private final String namespace;
    private final boolean takesOut;

    /** @param namespace of objects that say none */
    public ManifestInjector(Injector injector, String namespace, boolean takesOut) {
        this.injector = injector;
        this.namespace = namespace;
        this.takesOut = takesOut;
    }

    /**
     * What became of a stream of manifests.
     *
     * @param text the new stream; the old one where {@code refused}
     * @param notes one line for each object
     * @param isRefused whether some pod cannot be meshed; then nothing was done
     */
    public record Outcome(String text, List<String> notes, boolean isRefused) {
        public Outcome {
            notes = List.copyOf(notes);
        }
    }

    /**
     * Goes through a stream.
     *
     * @throws IllegalArgumentException if the text is no YAML; the message has line and column
     */
    public Outcome inject(String text) {
        if (text.startsWith(BYTE_ORDER_MARK)) {
            Outcome rest = inject(text.substring(1));
            return new Outcome(BYTE_ORDER_MARK + rest.text(), rest.notes(), rest.isRefused());
        }
        Pass pass = new Pass();
        Map<YamlTree, JsonNode> changed = new LinkedHashMap<>();
        List<YamlTree> documents = YamlTree.documents(text);
        for (YamlTree document : documents) {
            JsonNode after = document.value().deepCopy();
            pass.document(after);
            if (!after.equals(document.value())) {
                changed.put(document, after);
            }
        }
        if (pass.isRefused) {
            return new Outcome(text, pass.notes, true);
        }
        return new Outcome(written(text, documents, changed, pass.notes), pass.notes, false);
    }

    /** The text with its changes; a document whose text does not take them is written anew. */
    private static String written(
            String text, List<YamlTree> documents, Map<YamlTree, JsonNode> changed, List<String> notes) {
        if (changed.isEmpty()) {
            return text;
        }
        String kept = YamlEdit.edited(text, changed, Set.of());
        if (isRead(kept, documents, changed)) {
            return kept;
        }
        Set<YamlTree> anew = new HashSet<>();
        for (YamlTree document : changed.keySet()) {
            Map<YamlTree, JsonNode> alone = Map.of(document, changed.getOrDefault(document, document.value()));
            if (!isRead(YamlEdit.edited(text, alone, Set.of()), documents, alone)) {
                anew.add(document);
                notes.add(
                        "%s %s: written anew without its comments, for its layout (aliases, merged keys) does not take the change"
                                .formatted(
                                        document.value().path("kind").asText(),
                                        document.value()
                                                .path("metadata")
                                                .path("name")
                                                .asText()));
            }
        }
        String edited = YamlEdit.edited(text, changed, anew);
        if (isRead(edited, documents, changed)) {
            return edited;
        }
        notes.add("all written anew without comments, for the layout does not take the changes");
        return String.join(
                "---\n",
                documents.stream()
                        .map(document -> YamlText.document(changed.getOrDefault(document, document.value())))
                        .toList());
    }

    /** Whether a text reads as the documents it should hold. */
    private static boolean isRead(String text, List<YamlTree> documents, Map<YamlTree, JsonNode> changed) {
        List<JsonNode> wanted = documents.stream()
                .map(document -> changed.getOrDefault(document, document.value()))
                .toList();
        try {
            return YamlTree.documents(text).stream()
                    .map(YamlTree::value)
                    .toList()
                    .equals(wanted);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** One way through a stream. */
    private final class Pass {
        private final List<String> notes = new ArrayList<>();
        private boolean isRefused;

        void document(JsonNode document) {
            if (document.path("kind").asText().endsWith("List") && document.path("items") instanceof ArrayNode items) {
                items.forEach(this::document);
                return;
            }
            Optional<ObjectNode> template = PodTemplates.of(document);
            String kind = document.path("kind").asText("object");
            JsonNode metadata = document.path("metadata");
            String name =
                    metadata.path("name").asText(metadata.path("generateName").asText());
            String place = metadata.path("namespace").asText(namespace);
            if (template.isEmpty()) {
                notes.add("%s %s: left as it is".formatted(kind, name));
            } else if (takesOut) {
                ObjectNode plain = injector.takeOut(template.get());
                notes.add("%s %s/%s: %s"
                        .formatted(
                                kind, place, name, plain.equals(template.get()) ? "has no proxy" : "proxy taken out"));
                become(template.get(), plain);
            } else {
                inject(template.get(), kind, place, name);
            }
        }

        private void inject(ObjectNode template, String kind, String place, String name) {
            NamespaceView asking = NamespaceView.of(place, Map.of(Injector.INJECT, "enabled"), Map.of());
            switch (injector.decide(asking, template, kind, name)) {
                case Decision.Inject(Tuning tuning, List<String> warnings) -> {
                    become(template, injector.inject(template, tuning));
                    notes.add("%s %s/%s: proxy put in".formatted(kind, place, name));
                    warnings.forEach(warning -> notes.add("warning: " + warning));
                }
                case Decision.Skip skip ->
                    notes.add("%s %s/%s: left as it is: %s".formatted(kind, place, name, skip.sentence()));
                case Decision.Refuse(List<String> problems) -> {
                    isRefused = true;
                    problems.forEach(problem -> notes.add("error: " + problem));
                }
            }
        }

        private static void become(ObjectNode template, ObjectNode after) {
            ObjectNode copy = after.deepCopy();
            template.removeAll();
            template.setAll(copy);
        }
    }
}
