package dev.tulle.conformance.bench;

import dev.tulle.conformance.bench.Subject.Known;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What was measured: for each measure and subject the values of the rounds. Filled by one thread. */
final class Results {
    private final Map<Measure, Map<Known, List<Double>>> values = new EnumMap<>(Measure.class);

    private final Set<String> notes = new LinkedHashSet<>();

    /** What a reader of the figures must know. */
    void note(String sentence) {
        notes.add(sentence);
    }

    List<String> notes() {
        return List.copyOf(notes);
    }

    void add(Measure measure, Known subject, double value) {
        values.computeIfAbsent(measure, any -> new LinkedHashMap<>())
                .computeIfAbsent(subject, any -> new ArrayList<>())
                .add(value);
    }

    List<Measure> measures() {
        return List.copyOf(values.keySet());
    }

    /** Of the first subject that was measured. */
    int rounds(Measure measure) {
        return values.getOrDefault(measure, Map.of()).values().stream()
                .mapToInt(List::size)
                .findFirst()
                .orElse(0);
    }

    /** What the rounds gave, or nothing if the subject was not measured. */
    Optional<Spread> of(Measure measure, Known subject) {
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
