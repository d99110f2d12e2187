package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tulle denied}: the last refusals, and what would allow them. */
@Command(
        name = "denied",
        description = "Show the last refused calls and why; with --allow the YAML that would let them pass.",
        mixinStandardHelpOptions = true)
final class DeniedCommand extends AnswerCommand {
    private static final int SHOWN = 20;

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
        Table table = new Table("ago", "from", "to", ">port", "call", "reason", "detail");
        int rows = 0;
        for (JsonNode denial : answer.path("denied")) {
            if (rows++ == SHOWN) {
                break;
            }
            String from = Shown.text(denial.path("from"));
            String call = (Shown.text(denial.path("method")) + " " + Shown.text(denial.path("path"))).strip();
            table.row(
                    Shown.since(denial.path("at"), now),
                    from.isEmpty() ? "(plain text)" : from,
                    Shown.text(denial.path("to")),
                    Shown.text(denial.path("port")),
                    call.isEmpty() ? "(connection)" : call,
                    Shown.text(denial.path("reason")) + (denial.path("audited").asBoolean() ? " (let pass)" : ""),
                    Shown.text(denial.path("detail")));
        }
        out.print(table.isEmpty() ? "nothing was refused lately\n" : table.toString());
    }
}
