package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tulle check}: is the mesh well, and if not, why and what to do. */
@Command(
        name = "check",
        description = "Say whether the mesh is well; for each finding its cause and its cure.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @Mixin
    private final ServerOptions options = new ServerOptions();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        List<Finding> findings = new ArrayList<>();
        boolean answered = ask(findings);
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(ServerOptions.pretty(asJson(findings)));
        } else {
            findings.forEach(finding -> out.println(line(finding)));
        }
        out.flush();
        if (!answered) {
            return ExitCode.NO_ANSWER;
        }
        return findings.stream().anyMatch(finding -> finding.level() == Finding.Level.ERROR)
                ? ExitCode.NO
                : ExitCode.YES;
    }

    private boolean ask(List<Finding> findings) {
        try (ControllerApi api = options.api()) {
            int ready = api.status("/readyz");
            findings.add(
                    ready == 200
                            ? Finding.ok("controller-ready", api.server() + " is ready")
                            : Finding.error(
                                    "controller-ready",
                                    "%s says %d".formatted(api.server().resolve("/readyz"), ready),
                                    "what it waits for is on that page and in its log"));
            JsonNode mesh = api.get("/api/v1/mesh");
            JsonNode proxies = api.get("/api/v1/proxies");
            JsonNode ca = api.get("/api/v1/ca");
            Instant now = Instant.now();
            findings.addAll(Checks.objects(api.get("/api/v1/problems")));
            findings.addAll(Checks.proxiesConnected(mesh, proxies));
            findings.addAll(Checks.proxiesCurrent(proxies));
            findings.addAll(Checks.workloadsReady(proxies));
            findings.addAll(Checks.certificates(proxies, ca, now));
            findings.addAll(Checks.rootRotation(ca, now));
            return true;
        } catch (ControllerApi.NoAnswer e) {
            findings.add(e.finding());
            return false;
        }
    }

    private static String line(Finding finding) {
        String mark = switch (finding.level()) {
            case OK -> "@|green ok|@      ";
            case WARNING -> "@|yellow warning|@ ";
            case ERROR -> "@|red error|@   ";
        };
        String line = "%s %-18s %s".formatted(Ansi.AUTO.string(mark), finding.id(), finding.cause());
        return finding.cure().isEmpty()
                ? line
                : line + System.lineSeparator() + " ".repeat(28) + "-> " + finding.cure();
    }

    private static JsonNode asJson(List<Finding> findings) {
        ObjectNode answer = new ObjectMapper().createObjectNode();
        ArrayNode list = answer.putArray("checks");
        for (Finding finding : findings) {
            list.addObject()
                    .put("id", finding.id())
                    .put("level", finding.level().name().toLowerCase(Locale.ROOT))
                    .put("cause", finding.cause())
                    .put("cure", finding.cure());
        }
        return answer;
    }
}
