package dev.tulle.controller.api;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready once the objects were read and proxies are served; problems in objects do not make it unready. */
@Readiness
@ApplicationScoped
public class Health implements HealthCheck {
    private final Current current;

    public Health(Current current) {
        this.current = current;
    }

    @Override
    public HealthCheckResponse call() {
        boolean ready = current.views()
                .map(views -> views.controller().progress().get().assembled().isPresent())
                .orElse(false);
        return HealthCheckResponse.named("mesh").status(ready).build();
    }
}
