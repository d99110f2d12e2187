package dev.tulle.proxy.guard;

import dev.tulle.proxy.model.Destination;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.routing.DestinationTable;
import dev.tulle.proxy.upstream.DataPlane;
import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The resilience of every destination in use. Any thread; what {@link #on} gives, on its loop only. */
public final class Guards {
    private final DataPlane plane;
    private final Map<DestinationKey, DestinationState> states = new ConcurrentHashMap<>();

    public Guards(DataPlane plane) {
        this.plane = plane;
        plane.tables().onChange(table -> {
            states.keySet().removeIf(key -> table.destination(key).isEmpty());
            states.forEach((key, state) -> table.destination(key)
                    .map(DestinationTable::destination)
                    .ifPresent(destination -> {
                        if (destination instanceof Destination.Service service) {
                            state.update(service);
                        }
                    }));
        });
    }

    /** Those of one loop. */
    public OnLoop on(EventLoop loop) {
        return new OnLoop(new LoopTimers(loop));
    }

    Map<DestinationKey, DestinationState> states() {
        return states;
    }

    private DestinationState state(DestinationKey key, Destination.Service service) {
        return states.computeIfAbsent(key, k -> {
            DestinationState made = new DestinationState(service, plane.meters());
            made.meter().ejected(() -> ejectedNow(made.service()));
            return made;
        });
    }

    /** All ports of a Service together. */
    private int ejectedNow(String service) {
        return states.values().stream()
                .filter(state -> state.service().equals(service))
                .mapToInt(DestinationState::ejectedNow)
                .sum();
    }

    /** The resilience of every destination one loop uses. On that loop. */
    public final class OnLoop {
        /** Destinations beyond which those that are no longer configured are forgotten. */
        private static final int SWEEP_AT = 64;

        private final LoopTimers timers;
        private final Map<DestinationKey, DestinationGuard> guards = new HashMap<>();

        OnLoop(LoopTimers timers) {
            this.timers = timers;
        }

        /** The guard of a destination as this table has it; null when it is not a Service. */
        public @Nullable DestinationGuard of(DestinationKey key, DestinationTable table) {
            if (!(table.destination() instanceof Destination.Service service)) {
                return null;
            }
            String zone = plane.tables().table().config().workload().zone();
            DestinationState state = state(key, service);
            DestinationGuard guard = guards.get(key);
            if (guard == null || guard.state() != state) {
                if (guards.size() >= SWEEP_AT) {
                    guards.keySet().removeIf(known -> !states.containsKey(known));
                }
                guard = new DestinationGuard(state, timers, service, zone);
                guards.put(key, guard);
            } else {
                guard.update(service, zone);
            }
            return guard;
        }

        /** The same for a destination by its key, if it is known. */
        public Optional<DestinationGuard> of(DestinationKey key) {
            return plane.tables().table().destination(key).flatMap(table -> Optional.ofNullable(of(key, table)));
        }
    }
}
