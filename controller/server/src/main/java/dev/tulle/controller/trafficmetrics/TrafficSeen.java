package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.report.TrafficWindow;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where the leader looks numbers up.
 *
 * @param window what proxies reported to it
 * @param mesh as it is now; absent before the first
 * @param pods by whom these proxies are known
 * @param since when reports come here
 */
public record TrafficSeen(TrafficWindow window, Supplier<Optional<Mesh>> mesh, PodBook pods, Instant since) {
    public TrafficSeen {
        requireNonNull(window, "window");
        requireNonNull(mesh, "mesh");
        requireNonNull(pods, "pods");
        requireNonNull(since, "since");
    }
}
