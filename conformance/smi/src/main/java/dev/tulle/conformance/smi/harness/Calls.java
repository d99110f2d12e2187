package dev.tulle.conformance.smi.harness;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What happened on both sides of one call: what its caller saw, and what the applications of the stage received of it.
 *
 * @param asked who called what, for messages
 * @param outcomes in the order they were sent
 * @param received by all applications of the stage, whoever they are; more than was sent means that something was sent twice
 */
public record Calls(String asked, List<Outcome> outcomes, List<Received> received) {
    public Calls {
        outcomes = List.copyOf(outcomes);
        received = List.copyOf(received);
    }

    /** How many of them were answered with 200 to 399. */
    public int succeeded() {
        return (int) outcomes.stream().filter(Outcome::succeeded).count();
    }

    /** How many of them were answered with another status. */
    public int refused() {
        return (int) outcomes.stream()
                .filter(outcome -> !outcome.succeeded() && outcome.status() != 0)
                .count();
    }

    /** How many of them had no answer at all. */
    public int broken() {
        return (int) outcomes.stream().filter(outcome -> outcome.status() == 0).count();
    }

    /** Status to how many, in its order; 0 is no answer. */
    public Map<Integer, Long> statuses() {
        return outcomes.stream().collect(Collectors.groupingBy(Outcome::status, TreeMap::new, Collectors.counting()));
    }

    /** How many the application of that name received. */
    public int at(String app) {
        return (int) received.stream().filter(one -> one.at().equals(app)).count();
    }

    /** Application to how many it received, by name. */
    public Map<String, Long> shares() {
        return received.stream().collect(Collectors.groupingBy(Received::at, TreeMap::new, Collectors.counting()));
    }

    /** How many connections of its own the caller used. */
    public int connections() {
        return (int) outcomes.stream()
                .mapToInt(Outcome::connection)
                .filter(number -> number > 0)
                .distinct()
                .count();
    }

    /** What was asked and what came of it, in one line. */
    @Override
    public String toString() {
        String errors = outcomes.stream()
                .map(Outcome::error)
                .filter(error -> !error.isEmpty())
                .distinct()
                .limit(2)
                .collect(Collectors.joining("; "));
        String answers = counted(statuses(), status -> status == 0 ? "no answer" : "status " + status);
        return "%s, %d sent on %d connection%s: %s; received by %s%s"
                .formatted(
                        asked,
                        outcomes.size(),
                        connections(),
                        connections() == 1 ? "" : "s",
                        answers,
                        received.isEmpty() ? "nobody" : counted(shares(), app -> app),
                        errors.isEmpty() ? "" : " (" + errors + ")");
    }

    private static <K> String counted(Map<K, Long> counts, Function<K, String> words) {
        return counts.entrySet().stream()
                .map(entry -> "%s (%d)".formatted(words.apply(entry.getKey()), entry.getValue()))
                .collect(Collectors.joining(", "));
    }
}
