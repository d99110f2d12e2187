package dev.tulle.controller.assemble;

import dev.tulle.controller.resources.NamespaceResource;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.resources.Problems;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import dev.tulle.controller.resources.WorkloadResource;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Ports whose bytes nobody should look into: the annotation {@code config.tulle.dev/opaque-ports} of a pod, else of its namespace, and
 * of a Service, which adds to both.
 */
final class OpaquePorts {
    static final String ANNOTATION = "config.tulle.dev/opaque-ports";

    private static final Pattern SEPARATOR = Pattern.compile("[,\\s]+");
    private static final Pattern PORTS = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?");
    private static final int MOST = 65535;

    private final Problems problems;
    private final Map<ObjectRef, SortedSet<Integer>> read = new HashMap<>();
    private final Map<String, SortedSet<Integer>> namespaces = new HashMap<>();

    OpaquePorts(Resources resources, Problems problems) {
        this.problems = problems;
        for (NamespaceResource namespace : resources.namespaces()) {
            namespaces.put(namespace.name(), of(namespace.ref(), namespace.annotations()));
        }
    }

    /** Whether a port of a workload is opaque by the word of the workload or its namespace. */
    boolean ofWorkload(WorkloadResource workload, int port) {
        return ofWorkload(workload).contains(port);
    }

    /** Every opaque port of a workload. */
    SortedSet<Integer> ofWorkload(WorkloadResource workload) {
        return workload.annotations().containsKey(ANNOTATION)
                ? of(workload.ref(), workload.annotations())
                : namespaces.getOrDefault(workload.id().namespace(), new TreeSet<>());
    }

    /** Whether a Service says so of one of its ports, by its own number or the one it leads to. */
    boolean ofService(ServiceResource service, ServiceResource.Port port) {
        SortedSet<Integer> ports = of(service.ref(), service.annotations());
        return ports.contains(port.port())
                || (port.target() instanceof ServiceResource.Target.Numbered(int number) && ports.contains(number));
    }

    private SortedSet<Integer> of(ObjectRef object, SortedMap<String, String> annotations) {
        return read.computeIfAbsent(object, ref -> parse(ref, annotations.getOrDefault(ANNOTATION, "")));
    }

    private SortedSet<Integer> parse(ObjectRef object, String text) {
        SortedSet<Integer> ports = new TreeSet<>();
        for (String word : SEPARATOR.split(text.strip(), -1)) {
            if (word.isEmpty()) {
                continue;
            }
            Matcher matcher = PORTS.matcher(word);
            int first = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
            int last = first == 0 || matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
            if (first < 1 || last < first || last > MOST) {
                problems.error(
                        object,
                        "metadata.annotations." + ANNOTATION,
                        "'%s' is not a port or a range of ports such as 3306 or 5432-5440".formatted(word),
                        "it is left out, the others hold");
                continue;
            }
            for (int port = first; port <= last; port++) {
                ports.add(port);
            }
        }
        return ports;
    }
}
