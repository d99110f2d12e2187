package dev.tulle.controller.lint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.assemble.AnnotationCheck;
import dev.tulle.controller.inject.Decision;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.Injector;
import dev.tulle.controller.inject.NamespaceView;
import dev.tulle.controller.inject.PodTemplates;
import dev.tulle.controller.inject.TuningAnnotations;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.resources.NearestName;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problem.Severity;
import dev.tulle.smi.FieldProblem;
import dev.tulle.smi.Parsed;
import dev.tulle.smi.SmiKind;
import dev.tulle.smi.SmiObject;
import dev.tulle.smi.SmiReader;
import dev.tulle.smi.TrafficTarget;
import dev.tulle.smi.convert.SmiConverter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What can be said of one object by itself. An error means that it cannot mean anything, or not what is written: that is what the
 * admission webhook refuses.
 *
 * <p>The readers are those of the controller, so that what passes here is what will be understood.
 */
final class ObjectRules {
    private static final String OURS = "tulle.dev/";
    private static final String ANNOTATIONS = Finding.ANNOTATIONS;
    private static final Pattern PLACE = Pattern.compile("(annotation|label) (\\S+) of .*", Pattern.DOTALL);

    /** What our programs write themselves. */
    private static final List<String> WRITTEN_BY_US =
            List.of(SmiConverter.ANNOTATION, Injector.PROXY_VERSION, Injector.MESHED, "tulle.dev/leader");

    private final InjectSettings settings;
    private final Function<String, NamespaceView> namespaces;
    private final Findings findings;

    /**
     * @param namespaces as far as they are known; one that is not has neither labels nor annotations
     */
    ObjectRules(InjectSettings settings, Function<String, NamespaceView> namespaces, Findings findings) {
        this.settings = settings;
        this.namespaces = namespaces;
        this.findings = findings;
    }

    void check(ObjectRef ref, ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        SortedMap<String, String> annotations = words(object.at("/metadata/annotations"));
        if (SmiReader.isSmi(apiVersion, ref.kind())) {
            smi(ref, object);
            misplaced(ref, annotations, "a Service, a Namespace or a pod template");
        } else if (apiVersion.contains("smi-spec.io")) {
            noKind(ref, apiVersion);
        } else if (apiVersion.equals("v1") && ref.kind().equals("Namespace")) {
            namespace(ref, object, annotations);
        } else if (apiVersion.equals("v1") && ref.kind().equals("Service")) {
            service(ref, annotations);
        } else if (PodTemplates.path(object).isPresent()) {
            template(ref, object);
        } else if (!apiVersion.startsWith(OURS)) {
            misplaced(ref, annotations, "a Service, a Namespace or a pod template");
        }
    }

    private void smi(ObjectRef ref, ObjectNode object) {
        ObjectNode placed = object;
        if (object.path("metadata").isObject()
                && !object.at("/metadata/namespace").isTextual()) {
            placed = object.deepCopy();
            placed.withObjectProperty("metadata").put("namespace", ref.namespace());
        }
        switch (SmiReader.read(placed)) {
            case Parsed.Ok(SmiObject read, List<FieldProblem> warnings) -> {
                warnings.forEach(warning -> message(Level.WARNING, ref, warning));
                if (read instanceof TrafficTarget target) {
                    ownNamespace(ref, target);
                }
            }
            case Parsed.Bad bad -> bad.problems().forEach(problem -> message(Level.ERROR, ref, problem));
        }
    }

    private void message(Level level, ObjectRef ref, FieldProblem problem) {
        findings.message(
                level,
                "smi-object",
                ref,
                problem.field(),
                problem.message(),
                level == Level.ERROR ? "the object is refused" : "");
    }

    private void ownNamespace(ObjectRef ref, TrafficTarget target) {
        String namespace = target.destination().namespace();
        if (!namespace.equals(ref.namespace())) {
            findings.error(
                    "other-namespace",
                    ref,
                    findings.asWritten(ref, "spec.destination.namespace", "destination.namespace"),
                    "is '%s', but a TrafficTarget grants access only in its own namespace".formatted(namespace),
                    "it grants nothing",
                    "create it in namespace %s".formatted(namespace));
        }
    }

    private void noKind(ObjectRef ref, String apiVersion) {
        List<String> kinds = Arrays.stream(SmiKind.values()).map(SmiKind::kind).toList();
        Optional<SmiKind> meant = Arrays.stream(SmiKind.values())
                .filter(kind -> kind.kind().equals(ref.kind()))
                .findFirst();
        findings.error(
                "smi-object",
                ref,
                meant.isPresent() ? "apiVersion" : "kind",
                "%s of %s is no kind of SMI that is read here".formatted(ref.kind(), apiVersion),
                "it has no effect",
                meant.map(kind -> "write apiVersion: " + kind.apiVersion(kind.newestVersion()))
                        .orElseGet(() ->
                                NearestName.question(ref.kind(), kinds) + "there are " + String.join(", ", kinds)));
    }

    private void namespace(ObjectRef ref, ObjectNode object, SortedMap<String, String> annotations) {
        NamespaceView view = NamespaceView.of(ref.name(), words(object.at("/metadata/labels")), annotations);
        Injector.problems(view).forEach(sentence -> sentence(Level.ERROR, "injection", ref, "", sentence));
        problems(AnnotationCheck.ofWorkload(ref, annotations), ref, "");
        noLabel(ref, annotations, "");
        if ("enabled".equals(view.labels().get(Injector.INJECT))) {
            Injector.podSecurity(view).ifPresent(sentence -> sentence(Level.WARNING, "injection", ref, "", sentence));
        }
    }

    private void service(ObjectRef ref, SortedMap<String, String> annotations) {
        problems(AnnotationCheck.ofService(ref, annotations), ref, "");
        annotations.forEach((key, value) -> {
            if (key.startsWith(TuningAnnotations.PREFIX)) {
                if (key.equals(TuningAnnotations.PREFIX + TuningAnnotations.OPAQUE_PORTS)) {
                    TuningAnnotations.problems(Map.of(key, value), ref.toString())
                            .forEach(sentence -> sentence(Level.ERROR, "injection", ref, "", sentence));
                } else {
                    misplaced(ref, key, "a pod template or a Namespace");
                }
            }
        });
    }

    /** The pods that a Deployment or the like will make, as they will be looked at then. */
    private void template(ObjectRef ref, ObjectNode object) {
        String path = String.join(".", PodTemplates.path(object).orElse(List.of()));
        String prefix = path.isEmpty() ? "" : path + ".";
        if (!path.isEmpty()) {
            misplaced(ref, words(object.at("/metadata/annotations")), path + ".metadata.annotations");
            if (object.at("/metadata/labels").has(Injector.INJECT)) {
                findings.warning(
                        "misplaced",
                        ref,
                        "metadata.labels." + Injector.INJECT,
                        "is not read on a " + ref.kind(),
                        "it says nothing",
                        "write it on %s.metadata.labels, or on the Namespace".formatted(path));
            }
        }
        PodTemplates.of(object).ifPresent(template -> {
            SortedMap<String, String> annotations = words(template.at("/metadata/annotations"));
            noLabel(ref, annotations, prefix);
            Decision decision =
                    new Injector(settings).decide(namespaces.apply(ref.namespace()), template, ref.kind(), ref.name());
            switch (decision) {
                case Decision.Inject inject ->
                    inject.warnings().forEach(sentence -> sentence(Level.WARNING, "injection", ref, prefix, sentence));
                case Decision.Skip skip -> {
                    if (skip.isUnexpected()) {
                        sentence(Level.WARNING, "injection", ref, prefix, skip.sentence());
                    } else if (skip.reason() == Decision.Reason.NOT_ASKED) {
                        TuningAnnotations.problems(annotations, ref.toString())
                                .forEach(sentence -> sentence(Level.WARNING, "injection", ref, prefix, sentence));
                    }
                }
                case Decision.Refuse refused ->
                    refused.problems().forEach(sentence -> sentence(Level.ERROR, "injection", ref, prefix, sentence));
            }
        });
    }

    /** A sentence that names its place itself: annotation or label, value, and what to do. */
    private void sentence(Level level, String rule, ObjectRef ref, String prefix, String sentence) {
        Matcher place = PLACE.matcher(sentence);
        String field = "";
        if (place.matches() && sentence.contains(ref.toString())) {
            field = "%smetadata.%ss.%s".formatted(prefix, place.group(1), place.group(2));
        }
        findings.message(level, rule, ref, field, sentence, "");
    }

    private void problems(List<Problem> problems, ObjectRef ref, String prefix) {
        for (Problem problem : problems) {
            findings.message(
                    problem.severity() == Severity.ERROR ? Level.ERROR : Level.WARNING,
                    "annotation",
                    ref,
                    prefix + problem.field(),
                    problem.message(),
                    problem.outcome());
        }
    }

    private void noLabel(ObjectRef ref, SortedMap<String, String> annotations, String prefix) {
        if (annotations.containsKey(Injector.INJECT)) {
            findings.warning(
                    "misplaced",
                    ref,
                    prefix + ANNOTATIONS + Injector.INJECT,
                    "is read as a label only",
                    "it says nothing",
                    "write it under %smetadata.labels".formatted(prefix));
        }
    }

    private void misplaced(ObjectRef ref, SortedMap<String, String> annotations, String where) {
        for (String key : annotations.keySet()) {
            if ((key.startsWith(OURS) || key.startsWith(TuningAnnotations.PREFIX)) && !WRITTEN_BY_US.contains(key)) {
                misplaced(ref, key, where);
            }
        }
    }

    private void misplaced(ObjectRef ref, String key, String where) {
        findings.warning(
                "misplaced",
                ref,
                ANNOTATIONS + key,
                "is not read on a " + ref.kind(),
                "it says nothing",
                "write it on " + where);
    }

    static SortedMap<String, String> words(JsonNode object) {
        SortedMap<String, String> words = new TreeMap<>();
        object.properties()
                .forEach(entry -> words.put(entry.getKey(), entry.getValue().asText()));
        return words;
    }
}
