package dev.tulle.conformance.bench;

import dev.tulle.conformance.bench.Subject.Known;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a measure should come to; judged by medians, and only told, never enforced.
 *
 * @param subject whose measure
 * @param atMost whether {@code bound} is the most, else the least
 * @param peer whom {@code bound} is a multiple of; empty: it is a value in the measure's unit
 */
record Goal(Measure measure, Known subject, boolean atMost, double bound, Optional<Known> peer) {
    /** Those of the data plane: two hops with mutual TLS, the same processor for all, in one run. */
    static final List<Goal> ALL = List.of(
            atMost(Measure.HTTP1_CPU, 0.50, Known.ENVOY),
            atMost(Measure.HTTP1_CPU, 1.1, Known.HAPROXY),
            atMost(Measure.HTTP2_CPU, 0.35, Known.ENVOY),
            atMost(Measure.HTTP2_CPU, 1.2, Known.HAPROXY),
            atMost(Measure.GRPC_CPU, 0.50, Known.ENVOY),
            atLeast(Measure.HTTP1_RATE, 2, Known.ENVOY),
            atLeast(Measure.HTTP2_RATE, 2, Known.ENVOY),
            atLeast(Measure.GRPC_RATE, 2, Known.ENVOY),
            atLeast(Measure.TCP_RATE, 1, Known.ENVOY),
            atMost(Measure.FULL_CPU, 1, Known.ENVOY),
            atMost(Measure.RESUMED_CPU, 0.7, Known.ENVOY),
            atMost(Measure.ADDED_P50, 1, Known.HAPROXY),
            atMost(Measure.ADDED_P50, 0.5, Known.ENVOY),
            atMost(Measure.COLD_TO_WARM, Known.TULLE, 2),
            atMost(Measure.IDLE_BYTES, Known.TULLE, 8),
            atMost(Measure.IDLE_CPU, Known.TULLE, 1),
            atMost(Measure.MEMORY_LOAD, Known.TULLE, 70),
            atMost(Measure.MEMORY_LOAD, Known.NATIVE, 40),
            atMost(Measure.START, Known.TULLE, 0.7),
            atMost(Measure.START, Known.NATIVE, 0.1));

    private static Goal atMost(Measure measure, double multiple, Known peer) {
        return new Goal(measure, Known.TULLE, true, multiple, Optional.of(peer));
    }

    private static Goal atLeast(Measure measure, double multiple, Known peer) {
        return new Goal(measure, Known.TULLE, false, multiple, Optional.of(peer));
    }

    private static Goal atMost(Measure measure, Known subject, double value) {
        return new Goal(measure, subject, true, value, Optional.empty());
    }

    /** Those of one measure, in order. */
    static List<Goal> of(Measure measure) {
        return ALL.stream().filter(goal -> goal.measure() == measure).toList();
    }

    /** The value at which it is just met, in the measure's unit; empty if its peer was not measured. */
    Optional<Double> place(Results results) {
        return peer.isEmpty()
                ? Optional.of(bound)
                : results.of(measure, peer.get()).map(spread -> bound * spread.median());
    }

    /** What came of it; empty if something it needs was not measured. */
    Optional<Outcome> outcome(Results results) {
        Optional<Double> own = results.of(measure, subject).map(Results.Spread::median);
        Optional<Double> base = peer.isEmpty()
                ? Optional.of(1.0)
                : results.of(measure, peer.get()).map(Results.Spread::median);
        if (own.isEmpty() || base.isEmpty()) {
            return Optional.empty();
        }
        double value = own.get() / base.get();
        return Optional.of(new Outcome(value, atMost ? value <= bound : value >= bound));
    }

    /** {@code value} is to be compared with {@link #bound}. */
    record Outcome(double value, boolean met) {}

    /** For people: {@code <= 0.50 x Envoy}. */
    @Override
    public String toString() {
        return "%s %s%s"
                .formatted(
                        atMost ? "≤" : "≥",
                        String.format(Locale.ROOT, peer.isPresent() ? "%.2f" : "%.1f", bound),
                        peer.map(known -> " × " + known.title).orElse(" " + measure.unit));
    }
}
