package dev.tulle.proxy.guard;

import dev.tulle.proxy.model.InboundPort;
import dev.tulle.proxy.model.RateLimit;
import dev.tulle.proxy.resilience.SourceRates;
import dev.tulle.proxy.telemetry.Act;
import dev.tulle.proxy.telemetry.ActMeter;
import dev.tulle.proxy.telemetry.Meters;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** How often each caller may ask at each of our ports, all event loops together. Any thread. */
public final class PortRates {
    private final Meters meters;
    private final int maxCallers;
    private final Map<Integer, Gate> gates = new ConcurrentHashMap<>();

    /** @param maxCallers of one port with a bucket of their own */
    public PortRates(Meters meters, int maxCallers) {
        this.meters = meters;
        this.maxCallers = maxCallers;
    }

    /** The callers of one port. */
    public static final class Gate {
        private final RateLimit limit;
        private final SourceRates rates;
        private final ActMeter meter;

        private Gate(RateLimit limit, SourceRates rates, ActMeter meter) {
            this.limit = limit;
            this.rates = rates;
            this.meter = meter;
        }

        /** Nanoseconds until this caller may ask; 0 when it may now, which counts. */
        public long ask(String source) {
            long wait = rates.ask(source, System.nanoTime());
            if (wait > 0) {
                meter.count(Act.RATE_LIMIT);
            }
            return wait;
        }
    }

    /** The gate of a port as it is configured now; null where there is no limit. What callers have used up stays with an equal limit. */
    public @Nullable Gate of(InboundPort port) {
        if (port.rateLimit().isEmpty()) {
            gates.remove(port.port());
            return null;
        }
        RateLimit limit = port.rateLimit().get();
        return gates.compute(
                port.port(),
                (number, known) -> known != null && known.limit.equals(limit)
                        ? known
                        : new Gate(
                                limit,
                                new SourceRates(
                                        limit, maxCallers, () -> meters.limitHit("max_callers"), System.nanoTime()),
                                meters.acts(Integer.toString(number))));
    }

    /** Callers of each limited port that have asked of late. */
    Map<Integer, Integer> callers() {
        Map<Integer, Integer> callers = new TreeMap<>();
        gates.forEach((port, gate) -> callers.put(port, gate.rates.sources()));
        return callers;
    }
}
