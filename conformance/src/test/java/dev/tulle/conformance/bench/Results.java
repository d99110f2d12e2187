package dev.tulle.conformance.bench;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was measured: for each measure and subject the values of the rounds. Filled by one thread. */
final class Results {
    private final Map<Measure, Map<String, List<Double>>> values = new EnumMap<>(Measure.class);

    void add(Measure measure, String subject, double value) {
        values.computeIfAbsent(measure, any -> new LinkedHashMap<>())
                .computeIfAbsent(subject, any -> new ArrayList<>())
                .add(value);
    }

    List<Measure> measures() {
        return List.copyOf(values.keySet());
    }

    /** What the rounds gave, or nothing if the subject was not measured. */
    Optional<Spread> of(Measure measure, String subject) {
        return Optional.ofNullable(values.getOrDefault(measure, Map.of()).get(subject))
                .map(Spread::of);
    }

    /** Median, least and greatest of some rounds. */
    record Spread(double median, double least, double greatest, List<Double> rounds) {
        static Spread of(List<Double> rounds) {
            List<Double> sorted = rounds.stream().sorted().toList();
            int half = sorted.size() / 2;
            double median = sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
            return new Spread(median, sorted.getFirst(), sorted.getLast(), List.copyOf(rounds));
        }
    }
}
