package dev.tulle.conformance.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The figures as a table for people. */
final class Report {
    private Report() {}

    static String markdown(Results results, List<Subject> subjects) {
        StringBuilder text = new StringBuilder("| measure | direct |");
        subjects.forEach(subject -> text.append(" %s |".formatted(subject.title())));
        text.append(" Tulle / Envoy | Tulle / HAProxy |\n|---|---|");
        subjects.forEach(subject -> text.append("---|"));
        text.append("---|---|\n");
        for (Measure measure : results.measures()) {
            text.append("| %s, %s |".formatted(measure.title, measure.unit));
            Stream.concat(Stream.of("direct"), subjects.stream().map(Subject::name))
                    .forEach(name -> text.append(" %s |"
                            .formatted(results.of(measure, name)
                                    .map(Report::spread)
                                    .orElse(""))));
            text.append(" %s | %s |\n".formatted(ratio(results, measure, "envoy"), ratio(results, measure, "haproxy")));
        }
        return text.toString();
    }

    private static String ratio(Results results, Measure measure, String to) {
        Optional<Results.Spread> ours = results.of(measure, "tulle");
        Optional<Results.Spread> theirs = results.of(measure, to);
        return ours.isPresent() && theirs.isPresent()
                ? String.format(
                        Locale.ROOT, "%.2f", ours.get().median() / theirs.get().median())
                : "";
    }

    private static String spread(Results.Spread spread) {
        return spread.rounds().size() == 1
                ? number(spread.median())
                : "%s (%s–%s)".formatted(number(spread.median()), number(spread.least()), number(spread.greatest()));
    }

    static String number(double value) {
        return String.format(Locale.ROOT, value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    }
}
