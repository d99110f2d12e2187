package dev.tulle.controller.webhook;

import dev.tulle.controller.inject.NamespaceView;

/** Where namespaces are looked up; from any thread, may block. */
public interface Namespaces {
    /**
     * A namespace as it is known here, which may be a moment old.
     *
     * @throws IllegalStateException when it cannot be looked up
     */
    NamespaceView known(String name);

    /**
     * A namespace as it is now.
     *
     * @throws IllegalStateException when it cannot be looked up
     */
    NamespaceView now(String name);
}
