package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.time.Instant;
import picocli.CommandLine.Command;

/** {@code tulle proxies}: what each proxy was sent, took, and how long its certificate lasts. */
@Command(
        name = "proxies",
        description = "Show each proxy: connected, ready, configuration sent and taken, certificate.",
        mixinStandardHelpOptions = true)
final class ProxiesCommand extends AnswerCommand {
    @Override
    String path() {
        return "/api/v1/proxies";
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        Instant now = Instant.now();
        Table table = new Table(
                "workload",
                "connected",
                "ready",
                ">sent",
                ">acked",
                ">connections",
                ">certificate",
                "version",
                "detail");
        for (JsonNode proxy : answer.path("proxies")) {
            String refused = Shown.text(proxy.path("nack").path("error"));
            table.row(
                    Shown.text(proxy.path("workload")),
                    proxy.path("connected").asBoolean() ? Shown.since(proxy.path("since"), now) : "no",
                    Shown.yesNo(proxy.path("ready")),
                    Shown.text(proxy.path("sent")),
                    Shown.text(proxy.path("acked")),
                    Shown.text(proxy.path("connections")),
                    Shown.until(proxy.path("certificateExpiry"), now),
                    Shown.text(proxy.path("version")),
                    refused.isEmpty() ? Shown.text(proxy.path("detail")) : "refused: " + refused);
        }
        out.print(table);
    }
}
