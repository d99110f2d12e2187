package dev.tulle.controller.webhook;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Finding;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Lint;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.webhook.Review.Answer;
import dev.tulle.smi.SmiReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Answers whether an object means anything, in the words of {@link Lint}: SMI objects, and those that carry our labels and annotations.
 *
 * <p>Denied is only what cannot mean anything by itself; what is doubtful, also among everything else there is, is told as a warning. A change
 * to an object that was wrong before in the same way is let through: nobody must mend an object to delete it, and what is told here is told as
 * an Event, too. Nothing is denied for what is missing: a canary's split is written before its Services are.
 */
final class Validation {
    /** More are not passed on: the API server cuts off long lists. */
    private static final int MAX_WARNINGS = 8;

    private final Supplier<InjectSettings> settings;
    private final Namespaces namespaces;
    private final Supplier<Optional<Resources>> watched;

    Validation(Supplier<InjectSettings> settings, Namespaces namespaces, Supplier<Optional<Resources>> watched) {
        this.settings = settings;
        this.namespaces = namespaces;
        this.watched = watched;
    }

    Answer answer(Review review) {
        if (review.operation().equals("DELETE")
                || review.object().at("/metadata/deletionTimestamp").isTextual()) {
            return Answer.Allow.unchanged(List.of());
        }
        Lint lint = new Lint(settings.get());
        List<Finding> found = look(lint, review.object(), review);
        List<String> errors = sentences(found, Level.ERROR);
        List<String> warnings = sentences(found, Level.WARNING);
        if (errors.isEmpty()) {
            among(lint, review).forEach(finding -> warnings.add(finding.sentence()));
            return Answer.Allow.unchanged(few(warnings));
        }
        boolean wasWrong = review.old()
                .map(old -> sentences(look(lint, old, review), Level.ERROR).containsAll(errors))
                .orElse(false);
        if (wasWrong) {
            List<String> all = new ArrayList<>(errors);
            all.addAll(warnings);
            return Answer.Allow.unchanged(few(all));
        }
        return new Answer.Deny(String.join("; ", errors), few(warnings));
    }

    private List<Finding> look(Lint lint, ObjectNode object, Review review) {
        return lint.ofObject(ref(object, review), object, namespaces::known);
    }

    private static ObjectRef ref(ObjectNode object, Review review) {
        String kind = object.path("kind").asText();
        return new ObjectRef(kind, kind.equals("Namespace") ? "" : review.namespace(), review.name());
    }

    private List<Finding> among(Lint lint, Review review) {
        ObjectNode object = review.object();
        if (!SmiReader.isSmi(object.path("apiVersion").asText(), review.kind())) {
            return List.of();
        }
        ObjectNode placed = object.deepCopy();
        placed.withObjectProperty("metadata").put("namespace", review.namespace());
        return watched.get()
                .map(others -> lint.among(others, ref(object, review), placed))
                .orElse(List.of());
    }

    private static List<String> sentences(List<Finding> findings, Level level) {
        List<String> sentences = new ArrayList<>();
        findings.stream()
                .filter(finding -> finding.level() == level)
                .map(Finding::sentence)
                .distinct()
                .forEach(sentences::add);
        return sentences;
    }

    private static List<String> few(List<String> warnings) {
        List<String> distinct = warnings.stream().distinct().toList();
        if (distinct.size() <= MAX_WARNINGS) {
            return distinct;
        }
        List<String> few = new ArrayList<>(distinct.subList(0, MAX_WARNINGS - 1));
        few.add("%d more: run 'tulle lint'".formatted(distinct.size() - few.size()));
        return few;
    }
}
