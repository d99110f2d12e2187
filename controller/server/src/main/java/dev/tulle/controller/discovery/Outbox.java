package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What one proxy is still to be told, and what it has not answered yet. Used on one thread.
 *
 * <p>Offers a value only when it differs from the last one offered, keeps the newest for each {@link Slot}, and numbers a message
 * when it leaves, so versions grow in the order of sending.
 */
public final class Outbox {
    private final Map<Slot, Object> offered = new HashMap<>();
    private final Map<Slot, Object> waiting = new LinkedHashMap<>();
    private final NavigableMap<Long, Sent> unanswered = new TreeMap<>();
    private final Map<Slot, Nack> nacks = new HashMap<>();
    private long version;
    private long acked;
    private Optional<TrustBundle> trust = Optional.empty();

    /** Continues after the highest version the proxy holds from earlier streams. */
    Outbox(long held) {
        this.version = Math.max(0, held);
    }

    void offer(TrustBundle bundle) {
        offer(new Slot.Trust(), bundle);
    }

    void offer(WorkloadConfig config) {
        offer(new Slot.Own(), config);
    }

    void offer(Destination destination) {
        offer(new Slot.Watched(destination.key()), destination);
    }

    private void offer(Slot slot, Object value) {
        if (!value.equals(offered.put(slot, value))) {
            waiting.put(slot, value);
        }
    }

    /** Forgets a destination: it is no longer watched. */
    void forget(Slot.Watched slot) {
        offered.remove(slot);
        waiting.remove(slot);
        nacks.remove(slot);
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    int waiting() {
        return waiting.size();
    }

    int unanswered() {
        return unanswered.size();
    }

    /** Takes out what leaves next; must not be empty. */
    ToProxy next(long nowMillis) {
        var entry = waiting.entrySet().iterator().next();
        Slot slot = entry.getKey();
        Object value = entry.getValue();
        waiting.remove(slot);
        version++;
        unanswered.put(version, new Sent(slot, value, nowMillis));
        return switch (value) {
            case TrustBundle bundle -> new ToProxy.Trust(version, bundle);
            case WorkloadConfig config -> new ToProxy.Workload(version, config);
            case Destination destination -> new ToProxy.Watched(version, destination);
            default -> throw new IllegalStateException("not a message: " + value.getClass());
        };
    }

    /** The proxy uses the message of this version. */
    void ack(long of) {
        Sent sent = unanswered.remove(of);
        if (sent != null) {
            acked = Math.max(acked, of);
            nacks.remove(sent.slot());
            if (sent.value() instanceof TrustBundle bundle) {
                trust = Optional.of(bundle);
            }
        }
    }

    /** The proxy cannot use it, and goes on with the one before. */
    void nack(long of, String error) {
        Sent sent = unanswered.remove(of);
        if (sent != null) {
            nacks.put(sent.slot(), new Nack(of, sent.slot().toString(), error));
        }
    }

    long sentVersion() {
        return version;
    }

    long ackedVersion() {
        return acked;
    }

    /** The newest bundle the proxy has taken on this stream. */
    Optional<TrustBundle> trust() {
        return trust;
    }

    /** The newest refusal that no later acceptance has made good. */
    Optional<Nack> newestNack() {
        return nacks.values().stream().max((one, other) -> Long.compare(one.version(), other.version()));
    }

    /** When the oldest unanswered message left, milliseconds; absent when all are answered. */
    Optional<Long> oldestUnanswered() {
        return unanswered.isEmpty()
                ? Optional.empty()
                : Optional.of(unanswered.firstEntry().getValue().atMillis());
    }

    private record Sent(Slot slot, Object value, long atMillis) {}

    /**
     * A message that a proxy refused.
     *
     * @param version of the message
     * @param about {@code trust}, {@code workload} or a destination
     * @param error as the proxy said it
     */
    public record Nack(long version, String about, String error) {
        public Nack {
            requireNonNull(about, "about");
            requireNonNull(error, "error");
        }
    }
}
