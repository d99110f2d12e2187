package dev.tulle.controller.discovery;

import dev.tulle.proxy.model.WorkloadId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Hands each snapshot to every open stream, which sends what differs from what it sent before. Safe for all threads. */
public final class Publisher {
    private final Map<WorkloadId, ProxyStream> streams = new ConcurrentHashMap<>();
    private final ProxyRegistry registry;
    private volatile Optional<Snapshot> current = Optional.empty();

    public Publisher(ProxyRegistry registry) {
        this.registry = registry;
    }

    /** The newest snapshot; absent until the mesh was read. */
    public Optional<Snapshot> current() {
        return current;
    }

    /**
     * Makes a snapshot the newest one.
     *
     * <p>What the streams will need of it is worked out here, on the caller's thread, not on the event loops.
     */
    public void publish(Snapshot snapshot) {
        streams.forEach((workload, stream) -> {
            snapshot.workload(workload);
            stream.watched().forEach(key -> snapshot.destination(workload, key));
        });
        current = Optional.of(snapshot);
        registry.retain(snapshot.mesh().workloads().keySet());
        streams.values().forEach(ProxyStream::refresh);
    }

    /** How many streams are open. */
    public int connected() {
        return streams.size();
    }

    /** Adds a stream; an older one of the same workload is cut. */
    void open(WorkloadId workload, ProxyStream stream) {
        ProxyStream before = streams.put(workload, stream);
        if (before != null) {
            before.supersede();
        }
    }

    /** Takes a stream out; whether it was still the workload's newest one. */
    boolean close(WorkloadId workload, ProxyStream stream) {
        return streams.remove(workload, stream);
    }
}
