package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Instant;
import java.util.Optional;

/** Makes statuses of proxies of which only what matters is said. */
final class Statuses {
    private final WorkloadId workload;
    private String instance = "one";
    private boolean connected = true;
    private Instant seen = Instant.EPOCH;
    private Optional<TrustBundle> trust = Optional.empty();
    private Optional<ProxyStatus.Health> health = Optional.empty();
    private Instant leafEnds = Instant.EPOCH;
    private String issuer = "";

    private Statuses(WorkloadId workload) {
        this.workload = workload;
    }

    static Statuses of(WorkloadId workload) {
        return new Statuses(workload);
    }

    Statuses instance(String value) {
        instance = value;
        return this;
    }

    Statuses connected(boolean value) {
        connected = value;
        return this;
    }

    Statuses seen(Instant value) {
        seen = value;
        return this;
    }

    Statuses trust(TrustBundle value) {
        trust = Optional.of(value);
        return this;
    }

    Statuses health(boolean ready) {
        health = Optional.of(new ProxyStatus.Health(ready, ""));
        return this;
    }

    Statuses leaf(String issuedBy, Instant ends) {
        issuer = issuedBy;
        leafEnds = ends;
        return this;
    }

    ProxyStatus made() {
        return new ProxyStatus(
                workload,
                instance,
                "test",
                connected,
                seen,
                seen,
                0,
                0,
                Optional.empty(),
                Optional.empty(),
                trust,
                health,
                leafEnds,
                issuer,
                0);
    }
}
