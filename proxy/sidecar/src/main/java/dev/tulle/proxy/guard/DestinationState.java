package dev.tulle.proxy.guard;

import dev.tulle.proxy.model.Cluster;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.Resilience;
import dev.tulle.proxy.resilience.Ejections;
import dev.tulle.proxy.resilience.FaultPlan;
import dev.tulle.proxy.resilience.Slots;
import dev.tulle.proxy.telemetry.ActMeter;
import dev.tulle.proxy.telemetry.Meters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** What all event loops together know of one destination: what is under way, who is out, which faults have hit. Any thread. */
final class DestinationState {
    private final String service;
    private final ActMeter meter;
    private final Slots requests = new Slots();
    private final Slots pending = new Slots();
    private final Slots connections = new Slots();
    private volatile Resilience policy = Resilience.NONE;
    private volatile @Nullable FaultPlan faults;
    private volatile Map<String, Ejections> ejections = Map.of();
    private List<Cluster> clusters = List.of();

    DestinationState(Destination.Service service, Meters meters) {
        this.service = service.service();
        this.meter = meters.acts(this.service);
        update(service);
    }

    /** Takes what is configured now; what is under way and who is out stays. */
    synchronized void update(Destination.Service now) {
        Resilience next = now.resilience();
        if (next.equals(policy) && now.clusters().equals(clusters)) {
            return;
        }
        requests.limit(next.capacity().maxRequests());
        pending.limit(next.capacity().maxPending());
        connections.limit(next.capacity().maxConnections());
        if (!next.faults().equals(policy.faults())) {
            faults = next.faults().isEmpty() ? null : new FaultPlan(next.faults());
        }
        Map<String, Ejections> nextEjections = new HashMap<>();
        next.ejection().ifPresent(rule -> {
            for (Cluster cluster : now.clusters()) {
                Ejections known = ejections.get(cluster.name());
                if (known == null) {
                    known = new Ejections(rule, cluster.endpoints(), ThreadLocalRandom::current);
                } else {
                    known.update(rule, cluster.endpoints());
                }
                nextEjections.put(cluster.name(), known);
            }
        });
        ejections = Map.copyOf(nextEjections);
        clusters = now.clusters();
        policy = next;
    }

    String service() {
        return service;
    }

    ActMeter meter() {
        return meter;
    }

    Resilience policy() {
        return policy;
    }

    @Nullable FaultPlan faults() {
        return faults;
    }

    Optional<Ejections> ejections(String cluster) {
        return Optional.ofNullable(ejections.get(cluster));
    }

    Map<String, Ejections> ejections() {
        return ejections;
    }

    Slots requests() {
        return requests;
    }

    Slots pending() {
        return pending;
    }

    Slots connections() {
        return connections;
    }

    int ejectedNow() {
        int out = 0;
        for (Ejections of : ejections.values()) {
            if (of.anyOut()) {
                out += of.out(System.nanoTime()).size();
            }
        }
        return out;
    }
}
