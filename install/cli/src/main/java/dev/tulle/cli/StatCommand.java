package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tulle stat}: the golden numbers of services and workloads. */
@Command(
        name = "stat",
        description = "Show rate, success, latency and the share over mutual TLS of services and workloads.",
        mixinStandardHelpOptions = true)
final class StatCommand extends AnswerCommand {
    @Option(
            names = {"-w", "--window"},
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "how far back to look, 10 to 600 (default: 60)")
    private int window = 60;

    @Override
    String path() {
        return "/api/v1/stat?window=" + window;
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        out.print(table("service", answer.path("services")));
        out.println();
        out.print(table("workload", answer.path("workloads")));
    }

    private static Table table(String what, JsonNode stats) {
        Table table = new Table(what, ">rps", ">success", ">p50", ">p95", ">p99", ">mtls", ">denied/s");
        for (JsonNode stat : stats) {
            table.row(
                    Shown.text(stat.path("name")),
                    Shown.rate(stat.path("rate")),
                    Shown.share(stat.path("success")),
                    Shown.millis(stat.path("p50")),
                    Shown.millis(stat.path("p95")),
                    Shown.millis(stat.path("p99")),
                    Shown.share(stat.path("mtls")),
                    Shown.fault(stat.path("denied")));
        }
        return table;
    }
}
