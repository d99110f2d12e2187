package dev.tulle.controller.api;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.Optional;

/** The controller that runs in this process, once it does. Safe for all threads. */
@ApplicationScoped
public class Current {
    private volatile Optional<Views> views = Optional.empty();

    /** Says that it runs. */
    public void set(Views running) {
        views = Optional.of(running);
    }

    /** What there is to see of it; absent while it starts. */
    public Optional<Views> views() {
        return views;
    }
}
