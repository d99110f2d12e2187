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
    /** Callers of one port with a bucket of their own. */
    private static final int MAX_SOURCES = 4096;

    private final Meters meters;
    private final Map<Integer, Gate> gates = new ConcurrentHashMap<>();

    public PortRates(Meters meters) {
        this.meters = meters;
    }

    /** The callers of one port. */
    public static final class Gate {
        private final RateLimit limit;
        private final SourceRates rates;
        private final ActMeter meter;

        private Gate(RateLimit limit, ActMeter meter) {
            this.limit = limit;
            this.rates = new SourceRates(limit, MAX_SOURCES, System.nanoTime());
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
                        : new Gate(limit, meters.acts(Integer.toString(number))));
    }

    /** Callers of each limited port that have asked of late. */
    Map<Integer, Integer> callers() {
        Map<Integer, Integer> callers = new TreeMap<>();
        gates.forEach((port, gate) -> callers.put(port, gate.rates.sources()));
        return callers;
    }
}
