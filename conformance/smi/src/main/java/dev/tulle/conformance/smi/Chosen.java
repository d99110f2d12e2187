package dev.tulle.conformance.smi;

import dev.tulle.conformance.smi.harness.Case;
import dev.tulle.conformance.smi.harness.Group;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;

/**
 * One case that can be run, in one version.
 *
 * @param published whether it is a step of the published suite
 * @param traffic whether it needs a mesh
 * @param method what runs it
 */
record Chosen(String group, boolean published, boolean traffic, Case what, String version, Method method) {
    static List<Chosen> of(Method method) {
        Group group = method.getDeclaringClass().getAnnotation(Group.class);
        Case what = method.getAnnotation(Case.class);
        if (what == null) {
            throw new IllegalStateException(method + " is a test of the suite without @Case");
        }
        if (group == null) {
            throw new IllegalStateException(method.getDeclaringClass() + " has cases and no @Group");
        }
        return Arrays.stream(what.versions())
                .map(version -> new Chosen(group.value(), group.published(), group.traffic(), what, version, method))
                .toList();
    }

    /** Whether {@code --only name} means it. */
    boolean isNamed(String name) {
        return name.equals(group)
                || name.equals(what.id())
                || name.equals(group + "/" + what.id())
                || (published && name.equals("published"));
    }

    /** One of them within a run. */
    Key key() {
        return new Key(method, version);
    }

    /** Which method, in which version. */
    record Key(Method method, String version) {}
}
