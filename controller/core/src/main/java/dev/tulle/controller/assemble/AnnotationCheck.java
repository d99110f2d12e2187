package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What is wrong with the annotations of one object, found by the readers that give them their meaning. */
public final class AnnotationCheck {
    private AnnotationCheck() {}

    /** Of a namespace, or of a pod or other workload: access settings. */
    public static List<Problem> ofWorkload(ObjectRef object, SortedMap<String, String> annotations) {
        Problems problems = new Problems(Map.of());
        new AccessSettings(Resources.builder().build(), problems).annotations(object, annotations);
        return problems.found();
    }

    /** Of a Service: resilience. */
    public static List<Problem> ofService(ObjectRef object, SortedMap<String, String> annotations) {
        Problems problems = new Problems(Map.of());
        ServiceAnnotations.read(object, new TreeMap<>(annotations), problems);
        return problems.found();
    }
}
