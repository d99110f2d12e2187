package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tulle edges}: who talks to whom, and whether it is locked. */
@Command(
        name = "edges",
        description = "Show who talks to whom, how much, and whether it goes over mutual TLS.",
        mixinStandardHelpOptions = true)
final class EdgesCommand extends AnswerCommand {
    @Option(
            names = {"-w", "--window"},
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "how far back to look, 10 to 600 (default: 60)")
    private int window = 60;

    @Option(
            names = {"-a", "--all"},
            description = "what the called side saw as well; without it, only what no caller's proxy reports")
    private boolean all;

    @Override
    String path() {
        return "/api/v1/edges?window=" + window;
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        Table table = new Table(
                "from", "to", "backend", "protocol", "secured", ">rps", ">success", ">p50", ">p99", ">denied/s");
        for (JsonNode edge : answer.path("edges")) {
            String from = Shown.text(edge.path("from"));
            boolean caller = edge.path("reporter").asText().equals("client");
            if (!all && !caller && !from.isEmpty() && edge.path("denied").asDouble() == 0) {
                continue;
            }
            table.row(
                    from.isEmpty() ? "(plain text)" : from,
                    Shown.text(edge.path("to")),
                    Shown.text(edge.path("backend")),
                    Shown.text(edge.path("protocol")),
                    edge.path("mtls").asBoolean() ? "mtls" : "plain",
                    Shown.rate(edge.path("rate")),
                    Shown.share(edge.path("success")),
                    Shown.millis(edge.path("p50")),
                    Shown.millis(edge.path("p99")),
                    Shown.fault(edge.path("denied")));
        }
        out.print(table);
    }
}
