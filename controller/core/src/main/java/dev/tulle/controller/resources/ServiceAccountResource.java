package dev.tulle.controller.resources;

import static java.util.Objects.requireNonNull;

/** A ServiceAccount that was declared; workloads may run under undeclared ones too. */
public record ServiceAccountResource(String namespace, String name) {
    public ServiceAccountResource {
        requireNonNull(namespace, "namespace");
        requireNonNull(name, "name");
    }

    public ObjectRef ref() {
        return new ObjectRef("ServiceAccount", namespace, name);
    }
}
