package dev.tulle.controller.watch;

import dev.tulle.controller.resources.Resources;
import java.util.function.Consumer;

/** Where objects come from; says all of them again after each settled change. */
public interface ResourceSource extends AutoCloseable {
    /**
     * Begins to watch.
     *
     * <p>The listener is called once for what is there now, before this returns, and then after each settled change, never twice
     * at a time and never with a value equal to the last one. It may block: changes settle meanwhile. An exception it throws is
     * logged and does not end the watching.
     *
     * @throws IllegalStateException when called twice or after {@link #close}
     */
    void start(Consumer<Resources> listener);

    /** Ends the watching; waits a bounded time for a listener that is running. */
    @Override
    void close();
}
