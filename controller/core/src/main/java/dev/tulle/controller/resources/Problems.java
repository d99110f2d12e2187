package dev.tulle.controller.resources;

import dev.tulle.controller.resources.Problem.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collects problems and finds the place of each. Not thread-safe. */
public final class Problems {
    private final Map<ObjectRef, Origin> origins;
    private final List<Problem> found = new ArrayList<>();

    /** A collector that looks places up in {@code origins}, which may still grow. */
    public Problems(Map<ObjectRef, Origin> origins) {
        this.origins = origins;
    }

    /** An object, or part of it, has no effect. */
    public void error(ObjectRef object, String field, String message, String outcome) {
        add(Severity.ERROR, object, field, message, outcome, Optional.empty());
    }

    /** Something has effect, probably not the one that was meant. */
    public void warning(ObjectRef object, String field, String message, String outcome) {
        add(Severity.WARNING, object, field, message, outcome, Optional.empty());
    }

    /** Something worth knowing. */
    public void info(ObjectRef object, String field, String message, String outcome) {
        add(Severity.INFO, object, field, message, outcome, Optional.empty());
    }

    /**
     * Something that an object refers to is not there.
     *
     * @param absent see {@link Problem#missing}
     */
    public void missing(
            Severity severity, ObjectRef object, String field, String message, String outcome, ObjectRef absent) {
        add(severity, object, field, message, outcome, Optional.of(absent));
    }

    /** A problem whose place is known already. */
    public void add(Problem problem) {
        found.add(problem);
    }

    /** Problems that others collected. */
    public void addAll(List<Problem> others) {
        found.addAll(others);
    }

    /** Everything collected so far, in order of discovery. */
    public List<Problem> found() {
        return List.copyOf(found);
    }

    /**
     * How the author wrote a field whose path differs between API versions.
     *
     * @param newest the path in the newest version, taken when the origin is not known
     * @param older the path in older versions
     */
    public String asWritten(ObjectRef object, String newest, String older) {
        Origin origin = origins.get(object);
        return origin != null && !origin.has(newest) && origin.has(older) ? older : newest;
    }

    private void add(
            Severity severity,
            ObjectRef object,
            String field,
            String message,
            String outcome,
            Optional<ObjectRef> missing) {
        Optional<Place> place = Optional.ofNullable(origins.get(object)).map(origin -> origin.at(field));
        found.add(new Problem(severity, Optional.of(object), place, field, message, outcome, missing));
    }
}
