package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

/**
 * Name of one workload instance: a pod in Kubernetes, a {@code Workload} document without it.
 *
 * @param namespace not empty, without slash
 * @param name not empty, without slash
 */
public record WorkloadId(String namespace, String name) implements Comparable<WorkloadId> {
    public WorkloadId {
        requireNonNull(namespace, "namespace");
        requireNonNull(name, "name");
        if (namespace.isEmpty() || name.isEmpty() || namespace.contains("/") || name.contains("/")) {
            throw new IllegalArgumentException("not a workload: '%s/%s'".formatted(namespace, name));
        }
    }

    /** Reads {@code namespace/name}; a name alone is of the namespace {@code default}. */
    public static WorkloadId parse(String text) {
        int slash = text.indexOf('/');
        return slash < 0
                ? new WorkloadId("default", text)
                : new WorkloadId(text.substring(0, slash), text.substring(slash + 1));
    }

    @Override
    public int compareTo(WorkloadId other) {
        return toString().compareTo(other.toString());
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
