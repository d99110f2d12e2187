package dev.tulle.proxy.guard;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Endpoint;
import dev.tulle.proxy.resilience.Ejections;
import dev.tulle.proxy.telemetry.Act;
import dev.tulle.proxy.telemetry.ActMeter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which endpoints of one cluster a request may go to, and who learns what became of it. On one event loop. */
public final class ClusterGuard {
    private final Cluster cluster;
    private final Optional<Ejections> ejections;
    private final ActMeter meter;
    private final String ownZone;
    private List<Endpoint> lookedAt = List.of();
    private List<Endpoint> preferred = List.of();

    /** @param ownZone the caller's, where its endpoints come first; else empty */
    ClusterGuard(Cluster cluster, Optional<Ejections> ejections, ActMeter meter, String ownZone) {
        this.cluster = cluster;
        this.ejections = ejections;
        this.meter = meter;
        this.ownZone = ownZone;
    }

    /** Endpoints that are not out. */
    public List<Endpoint> allowed() {
        return ejections.map(Ejections::in).orElse(cluster.endpoints());
    }

    /**
     * Of these, those of the caller's own zone as long as at least half of that zone's are among them; else all.
     *
     * <p>Fewer would have to carry the whole zone's load.
     */
    @SuppressWarnings("ReferenceEquality") // the list is a new one when it has changed
    public List<Endpoint> preferred() {
        List<Endpoint> allowed = allowed();
        if (ownZone.isEmpty()) {
            return allowed;
        }
        if (allowed != lookedAt) {
            lookedAt = allowed;
            List<Endpoint> near = near(allowed);
            preferred = !near.isEmpty()
                            && near.size() * 2 >= near(cluster.endpoints()).size()
                    ? near
                    : allowed;
        }
        return preferred;
    }

    private List<Endpoint> near(List<Endpoint> endpoints) {
        return endpoints.stream()
                .filter(endpoint -> endpoint.zone().equals(ownZone))
                .toList();
    }

    /** An endpoint that was out and that this request is to try, or null; tell what became of it as a probe. */
    public @Nullable Endpoint probe() {
        return ejections.isPresent() ? ejections.get().probe(System.nanoTime()) : null;
    }

    /** A request to it, or its connection, failed. */
    public void failed(Endpoint endpoint, boolean probe) {
        if (ejections.isPresent() && ejections.get().failed(endpoint, probe, System.nanoTime())) {
            meter.count(Act.EJECTION);
        }
    }

    /** A request to it went well. */
    public void succeeded(Endpoint endpoint, boolean probe) {
        if (ejections.isPresent()) {
            ejections.get().succeeded(endpoint, probe, System.nanoTime());
        }
    }

    /** A request to it told nothing about it. */
    public void abandoned(Endpoint endpoint, boolean probe) {
        if (ejections.isPresent()) {
            ejections.get().abandoned(endpoint, probe);
        }
    }
}
