package dev.tulle.conformance.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.tulle.conformance.bench.Subject.Known;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The figures for people and for programs. */
final class Report {
    private final Results results;
    private final Options options;
    private final Map<String, String> machine;
    private final List<Known> columns;

    Report(Results results, Options options, List<Subject> subjects) throws IOException {
        this.results = results;
        this.options = options;
        machine = Machine.describe(options, subjects);
        columns = Stream.concat(
                        options.direct() ? Stream.of(Known.DIRECT) : Stream.of(),
                        subjects.stream().map(Subject::known))
                .toList();
    }

    /** Machine, medians beside the goals, what the rounds spread over, notes. */
    String markdown() {
        StringBuilder text = new StringBuilder();
        text.append(machine.entrySet().stream()
                .map(fact -> fact.getKey() + ": " + fact.getValue())
                .collect(Collectors.joining("; ", "", ".\n\n")));
        boolean smoke = options.effort().smoke();
        text.append(
                smoke
                        ? "A smoke test: it works, and the figures mean nothing.\n\n"
                        : "Medians of %d rounds of %d s.\n\n"
                                .formatted(
                                        options.effort().rounds(),
                                        options.effort().seconds()));
        row(text, "measure", known -> known.title, smoke ? List.of() : List.of("Tulle / Envoy", "goal", "met"));
        row(text, "---", known -> "---", smoke ? List.of() : List.of("---", "---", "---"));
        for (Measure measure : results.measures()) {
            row(
                    text,
                    measure.title + ", " + measure.unit,
                    known -> results.of(measure, known)
                            .map(spread -> number(spread.median()))
                            .orElse(""),
                    smoke ? List.of() : List.of(ratio(measure), goals(measure), met(measure)));
        }
        if (!smoke) {
            spreads(text);
        }
        if (!results.notes().isEmpty()) {
            text.append("\n");
            results.notes().forEach(note -> text.append("- ").append(note).append("\n"));
        }
        return text.toString();
    }

    private void spreads(StringBuilder text) {
        text.append("\nLeast and greatest of the rounds:\n\n");
        row(text, "measure", known -> known.title, List.of());
        row(text, "---", known -> "---", List.of());
        for (Measure measure : results.measures()) {
            if (results.rounds(measure) > 1) {
                row(
                        text,
                        measure.title + ", " + measure.unit,
                        known -> results.of(measure, known)
                                .map(spread -> number(spread.least()) + " – " + number(spread.greatest()))
                                .orElse(""),
                        List.of());
            }
        }
    }

    /** The same with every round. */
    String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeObjectFieldStart("machine");
            for (Map.Entry<String, String> fact : machine.entrySet()) {
                json.writeStringField(fact.getKey(), fact.getValue());
            }
            json.writeEndObject();
            json.writeArrayFieldStart("measures");
            for (Measure measure : results.measures()) {
                json.writeStartObject();
                json.writeStringField("measure", measure.name().toLowerCase(Locale.ROOT));
                json.writeStringField("title", measure.title);
                json.writeStringField("unit", measure.unit);
                json.writeObjectFieldStart("subjects");
                for (Known known : columns) {
                    Optional<Results.Spread> spread = results.of(measure, known);
                    if (spread.isPresent()) {
                        json.writeObjectFieldStart(known.id);
                        json.writeNumberField("median", spread.get().median());
                        json.writeArrayFieldStart("rounds");
                        for (double round : spread.get().rounds()) {
                            json.writeNumber(round);
                        }
                        json.writeEndArray();
                        json.writeEndObject();
                    }
                }
                json.writeEndObject();
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayFieldStart("goals");
            for (Goal goal : Goal.ALL) {
                Optional<Goal.Outcome> outcome = goal.outcome(results);
                if (outcome.isPresent()) {
                    json.writeStartObject();
                    json.writeStringField("measure", goal.measure().name().toLowerCase(Locale.ROOT));
                    json.writeStringField("subject", goal.subject().id);
                    json.writeStringField("goal", goal.toString());
                    json.writeNumberField("value", outcome.get().value());
                    json.writeBooleanField("met", outcome.get().met());
                    json.writeEndObject();
                }
            }
            json.writeEndArray();
            json.writeArrayFieldStart("notes");
            for (String note : results.notes()) {
                json.writeString(note);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return text + "\n";
    }

    /** Writes a page, the JSON and the plots into a folder, in place of those of an earlier run. */
    void keep(Path folder) throws IOException {
        Files.createDirectories(folder);
        StringBuilder page = new StringBuilder("# Results of the last full run\n\n");
        page.append(
                "Written by `conformance/bench/run --record`; what each measure is, and what is unfair to whom, is in\n");
        page.append("[the bench's README](../README.md). The same with every round: [results.json](results.json).\n\n");
        page.append(markdown()).append("\n");
        for (Plot plot : Plot.ALL) {
            Optional<String> drawn = plot.draw(results, columns);
            if (drawn.isPresent()) {
                Files.writeString(folder.resolve(plot.file()), drawn.get());
                page.append("![%s](%s)\n".formatted(plot.title(), plot.file()));
            }
        }
        Files.writeString(folder.resolve("README.md"), page);
        Files.writeString(folder.resolve("results.json"), json());
    }

    private void row(StringBuilder text, String first, Function<Known, String> cell, List<String> last) {
        List<String> cells = new ArrayList<>(List.of(first));
        columns.forEach(known -> cells.add(cell.apply(known)));
        cells.addAll(last);
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private String ratio(Measure measure) {
        Optional<Results.Spread> ours = results.of(measure, Known.TULLE);
        Optional<Results.Spread> theirs = results.of(measure, Known.ENVOY);
        return ours.isPresent() && theirs.isPresent() && theirs.get().median() > 0
                ? number(ours.get().median() / theirs.get().median())
                : "";
    }

    private static String goals(Measure measure) {
        return Goal.of(measure).stream()
                .map(goal -> (goal.subject() == Known.TULLE ? "" : goal.subject().title + " ") + goal)
                .collect(Collectors.joining("; "));
    }

    private String met(Measure measure) {
        return Goal.of(measure).stream()
                .map(goal -> goal.outcome(results)
                        .map(outcome -> (outcome.met() ? "yes" : "**no**")
                                + (goal.peer().isPresent() ? " (" + number(outcome.value()) + ")" : ""))
                        .orElse("–"))
                .collect(Collectors.joining("; "));
    }

    /** Three digits that count. */
    static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f", value);
    }
}
