package dev.tulle.cli.migrate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.cli.migrate.Note.Outcome;
import dev.tulle.cli.migrate.Objects.Item;
import dev.tulle.controller.assemble.AnnotationCheck;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Writes what other meshes say in objects of their own as annotations of the called Service. */
final class ServiceWords {
    private final Objects objects;

    ServiceWords(Objects objects) {
        this.objects = objects;
    }

    /**
     * Annotates a Service, or says what its annotation would be.
     *
     * @param from who asked for it
     * @param field of {@code from}
     * @param difference how that differs, or empty
     */
    void write(Item from, String field, String namespace, String service, String key, String value, String difference) {
        String annotation = "tulle.dev/%s: \"%s\"".formatted(key, value);
        ObjectRef ref = new ObjectRef("Service", namespace, service);
        List<Problem> problems =
                AnnotationCheck.ofService(ref, new TreeMap<>(Map.of("tulle.dev/" + key, value))).stream()
                        .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                        .toList();
        if (!problems.isEmpty()) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    from,
                    field,
                    "tulle.dev/%s of Service %s/%s cannot say it: %s"
                            .formatted(
                                    key, namespace, service, problems.getFirst().message()),
                    "write a value within the range on the Service");
            return;
        }
        Optional<Item> item = objects.find("", "Service", namespace, service);
        if (item.isEmpty()) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    from,
                    field,
                    "Service %s/%s is not among the manifests".formatted(namespace, service),
                    "write the annotation %s on it".formatted(annotation));
            return;
        }
        ObjectNode annotations = Objects.annotations(item.get().value);
        String there = annotations.path("tulle.dev/" + key).asText(value);
        if (!there.equals(value)) {
            objects.note(
                    Outcome.UNSUPPORTED,
                    from,
                    field,
                    "Service %s/%s has tulle.dev/%s: \"%s\" already".formatted(namespace, service, key, there),
                    "choose between that and \"%s\"".formatted(value));
            return;
        }
        annotations.put("tulle.dev/" + key, value);
        objects.note(
                difference.isEmpty() ? Outcome.DONE : Outcome.APPROXIMATED,
                from,
                field,
                "%s on Service %s/%s%s"
                        .formatted(annotation, namespace, service, difference.isEmpty() ? "" : "; " + difference),
                "");
        objects.done(item.get(), "metadata.annotations.tulle.dev/" + key, "\"%s\", as %s asked".formatted(value, from));
    }
}
