package dev.tulle.controller.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.assemble.AnnotationCheck;
import dev.tulle.controller.inject.Decision;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.Injector;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.controller.inject.Tuning;
import dev.tulle.controller.inject.TuningAnnotations;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.controller.webhook.Review.Answer;
import dev.tulle.smi.FieldProblem;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.SmiReader;
import dev.tulle.smi.TrafficSplit;
import dev.tulle.smi.TrafficTarget;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Answers whether an object means anything: SMI objects, and those that carry our labels and annotations.
 *
 * <p>The readers are those of the controller, so that what is let in is what will be understood. Denied is only what cannot mean
 * anything; the doubtful is told as a warning. A change to an object that was wrong before in the same way is let through: nobody must mend
 * an object to delete it, and what is told here is told as an Event, too. Whether named Services exist is not asked: a canary's split is written before they do.
 */
final class Validation {
    private static final String ANNOTATIONS = "metadata.annotations.";

    private final Supplier<InjectSettings> settings;
    private final Namespaces namespaces;

    Validation(Supplier<InjectSettings> settings, Namespaces namespaces) {
        this.settings = settings;
        this.namespaces = namespaces;
    }

    /** What is said of one object. */
    private record Findings(Set<String> errors, List<String> warnings) {
        static Findings none() {
            return new Findings(new LinkedHashSet<>(), new ArrayList<>());
        }
    }

    Answer answer(Review review) {
        if (review.operation().equals("DELETE")
                || review.object().at("/metadata/deletionTimestamp").isTextual()) {
            return Answer.Allow.unchanged(List.of());
        }
        Findings found = look(review.object(), review);
        if (found.errors().isEmpty()) {
            return Answer.Allow.unchanged(found.warnings());
        }
        boolean wasWrong = review.old()
                .map(old -> look(old, review).errors().containsAll(found.errors()))
                .orElse(false);
        return wasWrong
                ? Answer.Allow.unchanged(Stream.concat(found.errors().stream(), found.warnings().stream())
                        .toList())
                : new Answer.Deny(String.join("; ", found.errors()), found.warnings());
    }

    private Findings look(ObjectNode object, Review review) {
        Findings findings = Findings.none();
        String apiVersion = object.path("apiVersion").asText();
        String kind = object.path("kind").asText();
        ObjectRef ref = new ObjectRef(kind, kind.equals("Namespace") ? "" : review.namespace(), review.name());
        if (SmiReader.isSmi(apiVersion, kind)) {
            smi(ref, object, findings);
        } else if (apiVersion.equals("v1") && kind.equals("Namespace")) {
            namespace(ref, object, findings);
        } else if (apiVersion.equals("v1") && kind.equals("Service")) {
            SortedMap<String, String> annotations = words(object.at("/metadata/annotations"));
            problems(AnnotationCheck.ofService(ref, annotations), findings);
            Optional.ofNullable(annotations.get(TuningAnnotations.PREFIX + TuningAnnotations.OPAQUE_PORTS))
                    .ifPresent(ports -> findings.errors()
                            .addAll(TuningAnnotations.problems(
                                    Map.of(TuningAnnotations.PREFIX + TuningAnnotations.OPAQUE_PORTS, ports),
                                    ref.toString())));
        } else {
            template(ref, object, findings);
        }
        return findings;
    }

    private static void smi(ObjectRef ref, ObjectNode object, Findings findings) {
        ObjectNode placed = object;
        if (!object.at("/metadata/namespace").isTextual()) {
            placed = object.deepCopy();
            placed.withObjectProperty("metadata").put("namespace", ref.namespace());
        }
        switch (SmiReader.read(placed)) {
            case Parsed.Ok(SmiObject read, List<FieldProblem> warnings) -> {
                warnings.forEach(warning -> findings.warnings().add("%s, %s".formatted(ref, warning)));
                doubts(ref, read, findings);
            }
            case Parsed.Bad bad ->
                bad.problems().forEach(problem -> findings.errors().add("%s, %s".formatted(ref, problem)));
        }
    }

    private static void doubts(ObjectRef ref, SmiObject object, Findings findings) {
        switch (object) {
            case TrafficSplit split -> {
                if (split.backends().stream().allMatch(backend -> backend.weight() == 0)) {
                    findings.warnings()
                            .add(
                                    "%s, spec.backends: no backend has a weight above 0, so nobody takes the requests: give one a weight"
                                            .formatted(ref));
                }
            }
            case TrafficTarget target -> {
                if (!target.destination().namespace().equals(ref.namespace())) {
                    findings.errors()
                            .add(
                                    "%s, destination.namespace: is '%s', but a TrafficTarget grants access only in its own namespace: create it in namespace %s"
                                            .formatted(
                                                    ref,
                                                    target.destination().namespace(),
                                                    target.destination().namespace()));
                }
                if (target.sources().isEmpty() || target.rules().isEmpty()) {
                    findings.warnings()
                            .add("%s has no %s, so it grants nothing and closes service account %s"
                                    .formatted(
                                            ref,
                                            target.sources().isEmpty() ? "sources" : "rules",
                                            target.destination().name()));
                }
            }
            default -> {
                // Nothing else can be doubted by itself.
            }
        }
    }

    private static void namespace(ObjectRef ref, ObjectNode object, Findings findings) {
        NamespaceView view = NamespaceView.of(
                ref.name(), words(object.at("/metadata/labels")), words(object.at("/metadata/annotations")));
        findings.errors().addAll(Injector.problems(view));
        problems(AnnotationCheck.ofWorkload(ref, view.annotations()), findings);
        if ("enabled".equals(view.labels().get(Injector.INJECT))) {
            Injector.podSecurity(view).ifPresent(findings.warnings()::add);
        }
    }

    /** The pods that a Deployment or the like will make, as they will be looked at then. */
    private void template(ObjectRef ref, ObjectNode object, Findings findings) {
        PodTemplates.of(object).ifPresent(template -> {
            Decision decision = new Injector(settings.get())
                    .decide(namespaces.known(ref.namespace()), template, ref.kind(), ref.name());
            switch (decision) {
                case Decision.Inject(Tuning tuning, List<String> warnings) ->
                    findings.warnings().addAll(warnings);
                case Decision.Skip skip -> {
                    if (skip.isUnexpected()) {
                        findings.warnings().add(skip.sentence());
                    }
                }
                case Decision.Refuse refused -> findings.errors().addAll(refused.problems());
            }
        });
    }

    private static void problems(List<Problem> problems, Findings findings) {
        for (Problem problem : problems) {
            String place = problem.field().startsWith(ANNOTATIONS)
                    ? "annotation " + problem.field().substring(ANNOTATIONS.length())
                    : problem.field();
            String sentence = "%s of %s: %s"
                    .formatted(
                            place, problem.object().map(ObjectRef::toString).orElse("the object"), problem.message());
            if (problem.severity() == Severity.ERROR) {
                findings.errors().add(sentence);
            } else {
                findings.warnings().add(sentence);
            }
        }
    }

    private static SortedMap<String, String> words(JsonNode object) {
        SortedMap<String, String> words = new TreeMap<>();
        object.properties()
                .forEach(entry -> words.put(entry.getKey(), entry.getValue().asText()));
        return words;
    }
}
