package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tulle denied}: the last refusals, and what would allow them. */
@Command(
        name = "denied",
        description =
                "Show the last refused calls, alike ones together; with --allow the YAML that would let them pass.",
        mixinStandardHelpOptions = true)
final class DeniedCommand extends AnswerCommand {
    @Option(names = "--allow", description = "print the objects that would allow these calls instead")
    private boolean allow;

    @Override
    String path() {
        return "/api/v1/denied";
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        if (allow) {
            Set<String> objects = new LinkedHashSet<>();
            answer.path("denied")
                    .forEach(denial ->
                            objects.add(Shown.text(denial.path("allow")).strip()));
            objects.remove("");
            out.println(String.join("\n---\n", objects));
            return;
        }
        Instant now = Instant.now();
        Map<List<String>, Integer> times = new LinkedHashMap<>();
        Map<List<String>, String> newest = new HashMap<>();
        for (JsonNode denial : answer.path("denied")) {
            String from = Shown.identity(denial.path("from"));
            String call = (Shown.text(denial.path("method")) + " " + Shown.text(denial.path("path"))).strip();
            List<String> kind = List.of(
                    from.isEmpty() ? "(plain text)" : from,
                    Shown.text(denial.path("to")),
                    Shown.text(denial.path("port")),
                    call.isEmpty() ? "(connection)" : call,
                    Shown.text(denial.path("reason")) + (denial.path("audited").asBoolean() ? " (let pass)" : ""));
            times.merge(kind, 1, Integer::sum);
            newest.putIfAbsent(kind, Shown.since(denial.path("at"), now));
        }
        Table table = new Table(">last", ">times", "from", "to", ">port", "call", "reason");
        times.forEach((kind, count) -> table.row(
                newest.getOrDefault(kind, ""),
                count.toString(),
                kind.get(0),
                kind.get(1),
                kind.get(2),
                kind.get(3),
                kind.get(4)));
        out.print(table.isEmpty() ? "nothing was refused lately\n" : table.toString());
    }
}
