package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.time.Instant;
import picocli.CommandLine.Command;

/** {@code tulle ca}: whom the mesh trusts, who signs, and where a rotation stands. */
@Command(
        name = "ca",
        description = "Show the trusted roots, the issuer and where a rotation of the root stands.",
        mixinStandardHelpOptions = true)
final class CaCommand extends AnswerCommand {
    @Override
    String path() {
        return "/api/v1/ca";
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        Instant now = Instant.now();
        Table table = new Table("what", "id", "from", ">left");
        for (JsonNode anchor : answer.path("anchors")) {
            table.row(
                    "root",
                    Shown.text(anchor.path("id")),
                    Shown.text(anchor.path("notBefore")),
                    Shown.until(anchor.path("notAfter"), now));
        }
        JsonNode issuer = answer.path("issuer");
        table.row(
                issuer.path("given").asBoolean() ? "issuer (tulle-issuer)" : "issuer",
                Shown.text(issuer.path("id")),
                Shown.text(issuer.path("notBefore")),
                Shown.until(issuer.path("notAfter"), now));
        out.print(table);
        Finding rotation = Checks.rootRotation(answer, now).getFirst();
        out.printf("%nrotation: %s%n", rotation.cause());
    }
}
