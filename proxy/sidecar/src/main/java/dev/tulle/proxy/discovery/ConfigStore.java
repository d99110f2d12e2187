package dev.tulle.proxy.discovery;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.OutboundListener;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadConfig;
import dev.tulle.proxy.model.WorkloadId;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.routing.RoutingTable;
import dev.tulle.proxy.telemetry.Meters;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * The config in force, and the questions for destinations that are not yet in it.
 *
 * <p>{@link #table()} is one volatile read; whoever reads it keeps that table to the end of its request. Tables are made and swapped
 * on the control loop only. Before the first config the table admits nobody and has no ports.
 *
 * <p>A destination is watched from its first use, or from the start when a listener leads to it; one that no listener leads to and
 * nobody used for {@link Limits.Control#destinationIdle} is dropped again.
 */
public final class ConfigStore {
    /** The stream behind the store: where destinations are asked for. Called on the control loop. */
    interface Watches {
        /** Asks for a destination; false when nobody will ever answer. */
        boolean watch(DestinationKey key);

        void unwatch(DestinationKey key);
    }

    /** How often a use is written down at most: less often than requests come. */
    private static final long USE_GRAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EventExecutor control;
    private final Limits.Control limits;
    private final Meters meters;
    private final Log log;
    private final LongSupplier nanoTime;
    private final List<Consumer<RoutingTable>> listeners = new CopyOnWriteArrayList<>();
    private final Map<DestinationKey, LastUse> uses = new ConcurrentHashMap<>();
    private volatile RoutingTable table;
    private volatile boolean configured;

    // What follows is touched on the control loop only.
    private final Set<DestinationKey> watched = new LinkedHashSet<>();
    private final Map<DestinationKey, List<Question>> questions = new HashMap<>();
    private int waiting;
    private Watches watches = new Watches() {
        @Override
        public boolean watch(DestinationKey key) {
            return true;
        }

        @Override
        public void unwatch(DestinationKey key) {}
    };

    private static final class LastUse {
        volatile long at;

        LastUse(long at) {
            this.at = at;
        }
    }

    /** A connection that waits for an answer; answered once. */
    private static final class Question {
        final EventExecutor loop;
        final Consumer<Optional<DestinationTable>> answer;
        boolean answered;

        Question(EventExecutor loop, Consumer<Optional<DestinationTable>> answer) {
            this.loop = loop;
            this.answer = answer;
        }
    }

    /**
     * @param control the only thread that changes the table
     * @param nanoTime monotonic clock
     */
    public ConfigStore(
            WorkloadId workload,
            EventExecutor control,
            Limits.Control limits,
            Meters meters,
            Log log,
            LongSupplier nanoTime) {
        this.control = control;
        this.limits = limits;
        this.meters = meters;
        this.log = log;
        this.nanoTime = nanoTime;
        this.table = RoutingTable.of(nothingFor(workload));
        long sweep = Math.max(1, limits.destinationIdle().toMillis() / 10);
        control.scheduleWithFixedDelay(this::dropUnused, sweep, sweep, TimeUnit.MILLISECONDS);
    }

    /** The table in force; never null. */
    public RoutingTable table() {
        return table;
    }

    /** Whether a config has arrived, so that {@link #table()} is not the one that admits nobody. */
    public boolean configured() {
        return configured;
    }

    /**
     * Gives a destination to the caller: at once, on its own thread, when the table holds it; else later, on {@code loop}, when it
     * arrives. Marks it as used.
     *
     * @param loop the caller's event loop
     * @param answer called exactly once; empty when nothing arrived in {@link Limits.Control#destinationWait}, or a limit bit. An
     *     address outside the mesh is not empty but a table of {@link Destination.NotInMesh}
     */
    public void destination(DestinationKey key, EventExecutor loop, Consumer<Optional<DestinationTable>> answer) {
        Optional<DestinationTable> held = table.destination(key);
        if (held.isPresent()) {
            used(key);
            answer.accept(held);
        } else {
            control.execute(() -> ask(key, new Question(loop, answer)));
        }
    }

    /** Keeps a destination warm; call it with each request that uses one. Cheap; any thread. */
    public void used(DestinationKey key) {
        LastUse use = uses.get(key);
        if (use != null) {
            long now = nanoTime.getAsLong();
            if (now - use.at > USE_GRAIN_NANOS) {
                use.at = now;
            }
        }
    }

    /** Calls back on the control loop after each swap, with the new table. */
    public void onChange(Consumer<RoutingTable> listener) {
        listeners.add(listener);
    }

    /** Sets the stream that answers questions and asks it for what is watched already. On the control loop. */
    void serveBy(Watches stream) {
        watches = stream;
    }

    /** What is watched now, in the order it was asked for. On the control loop. */
    Set<DestinationKey> watched() {
        return watched;
    }

    /**
     * Puts a config in force, whole. On the control loop.
     *
     * @throws IllegalArgumentException if it cannot be compiled; what was in force stays
     */
    void replace(ProxyConfig config) {
        RoutingTable next = RoutingTable.of(config);
        configured = true;
        for (String problem : next.problems()) {
            log.warn("a part of the config cannot be used", "problem", problem, "version", config.version());
        }
        table = next;
        for (DestinationKey key : pinned(config)) {
            if (!watched.contains(key)) {
                startWatching(key);
            }
        }
        for (Destination destination : config.destinations()) {
            answer(destination.key(), next.destination(destination.key()));
        }
        tell(next);
    }

    /** A listener that fails spoils neither the swap nor the other listeners. */
    private void tell(RoutingTable next) {
        for (Consumer<RoutingTable> listener : listeners) {
            try {
                listener.accept(next);
            } catch (RuntimeException e) {
                log.error("a part of the proxy did not take the new config", "problem", e);
            }
        }
    }

    private void swap(ProxyConfig config) {
        RoutingTable next = RoutingTable.of(config);
        table = next;
        tell(next);
    }

    private void ask(DestinationKey key, Question question) {
        Optional<DestinationTable> held = table.destination(key);
        if (held.isPresent()) {
            used(key);
            reply(question, held);
            return;
        }
        if (waiting >= limits.maxWaiting()) {
            meters.limitHit("max_waiting");
            reply(question, Optional.empty());
            return;
        }
        if (!watched.contains(key)) {
            if (watched.size() >= limits.maxDestinations()) {
                meters.limitHit("max_destinations");
                reply(question, Optional.empty());
                return;
            }
            if (!startWatching(key)) {
                reply(question, Optional.empty());
                return;
            }
        }
        waiting++;
        questions.computeIfAbsent(key, k -> new ArrayList<>()).add(question);
        control.schedule(
                () -> {
                    if (!question.answered) {
                        forget(key, question);
                        reply(question, Optional.empty());
                    }
                },
                limits.destinationWait().toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void forget(DestinationKey key, Question question) {
        List<Question> asked = questions.get(key);
        if (asked != null && asked.remove(question)) {
            waiting--;
            if (asked.isEmpty()) {
                questions.remove(key);
            }
        }
    }

    private void answer(DestinationKey key, Optional<DestinationTable> destination) {
        List<Question> asked = questions.remove(key);
        if (asked != null) {
            waiting -= asked.size();
            asked.forEach(question -> reply(question, destination));
        }
    }

    private static void reply(Question question, Optional<DestinationTable> destination) {
        question.answered = true;
        question.loop.execute(() -> question.answer.accept(destination));
    }

    private boolean startWatching(DestinationKey key) {
        if (!watches.watch(key)) {
            return false;
        }
        watched.add(key);
        uses.put(key, new LastUse(nanoTime.getAsLong()));
        return true;
    }

    private void dropUnused() {
        Set<DestinationKey> pinned = pinned(table.config());
        long now = nanoTime.getAsLong();
        List<DestinationKey> unused = watched.stream()
                .filter(key -> !pinned.contains(key) && !questions.containsKey(key))
                .filter(key -> {
                    LastUse use = uses.get(key);
                    return use == null
                            || now - use.at > limits.destinationIdle().toNanos();
                })
                .toList();
        if (unused.isEmpty()) {
            return;
        }
        for (DestinationKey key : unused) {
            watched.remove(key);
            uses.remove(key);
            watches.unwatch(key);
        }
        ProxyConfig held = table.config();
        swap(new ProxyConfig(
                held.version(),
                held.workload(),
                held.destinations().stream()
                        .filter(destination -> !unused.contains(destination.key()))
                        .toList(),
                held.trust()));
    }

    private static Set<DestinationKey> pinned(ProxyConfig config) {
        return config.workload().outbound().stream()
                .map(OutboundListener::destination)
                .collect(Collectors.toSet());
    }

    /** What a proxy enforces before anyone told it anything: closed, and no ports. */
    private static ProxyConfig nothingFor(WorkloadId workload) {
        return new ProxyConfig(
                0,
                new WorkloadConfig(
                        workload,
                        workload.name(),
                        new SpiffeId("invalid", "none", "none"),
                        List.of(),
                        List.of(),
                        InboundPolicy.NOBODY,
                        List.of(),
                        Optional.empty()),
                List.of(),
                new TrustBundle("invalid", List.of(), ""));
    }
}
