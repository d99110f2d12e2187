package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tulle why}: what would become of a call, and which object says so. */
@Command(
        name = "why",
        description = "Say whether FROM may call TO, which route it takes and which objects decide it.",
        footer = "%nExit code: 0 it may, 1 it may not, 2 no answer.",
        mixinStandardHelpOptions = true)
final class WhyCommand extends AnswerCommand {
    private static final Set<String> MAY = Set.of("allowed", "audited");

    @Parameters(
            index = "0",
            paramLabel = "FROM",
            description = "caller: [namespace/]workload or service account, or 'unmeshed'")
    private String from = "";

    @Parameters(index = "1", paramLabel = "TO", description = "called: [namespace/]service or workload")
    private String to = "";

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "METHOD",
            description = "HTTP method; without one, a connection")
    private String method = "";

    @Parameters(index = "3", arity = "0..1", paramLabel = "PATH", description = "path of the request (default: /)")
    private String path = "";

    @Option(
            names = {"-H", "--header"},
            paramLabel = "NAME:VALUE",
            description = "a header of the request; can be repeated")
    private List<String> headers = List.of();

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "the called port, where there are several")
    private int port;

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAMESPACE",
            defaultValue = "default",
            description = "of names that do not say theirs (default: default)")
    private String namespace = "default";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    String path() {
        StringBuilder query = new StringBuilder("/api/v1/why?from=")
                .append(ControllerApi.encode(qualified(from)))
                .append("&to=")
                .append(ControllerApi.encode(qualified(to)));
        if (!method.isEmpty()) {
            query.append("&method=").append(ControllerApi.encode(method.toUpperCase(Locale.ROOT)));
            query.append("&path=").append(ControllerApi.encode(path.isEmpty() ? "/" : path));
        }
        if (port > 0) {
            query.append("&port=").append(port);
        }
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw new ParameterException(spec.commandLine(), "-H is NAME:VALUE, not '%s'".formatted(header));
            }
            query.append("&header=")
                    .append(ControllerApi.encode(header.substring(0, colon).strip() + ":"
                            + header.substring(colon + 1).strip()));
        }
        return query.toString();
    }

    @Override
    void show(JsonNode answer, PrintWriter out) {
        out.printf("%s: %s%n", outcome(answer), Shown.text(answer.path("summary")));
        String called = Shown.text(answer.path("called"));
        if (!called.isEmpty()) {
            out.printf("  caller  %s%n  called  %s%n", Shown.text(answer.path("caller")), called);
            String route = Shown.text(answer.path("route"));
            out.printf(
                    "  route   %s: %s%n",
                    route.isEmpty() ? "the Service itself" : "TrafficSplit " + route,
                    Shown.text(answer.path("routeReason")));
        }
        for (JsonNode backend : answer.path("backends")) {
            String workloads = StreamSupport.stream(backend.path("workloads").spliterator(), false)
                    .map(JsonNode::asText)
                    .collect(Collectors.joining(", "));
            out.printf(
                    "  %s  %s (%s), access %s from %s%n",
                    backend.path("allowed").asBoolean() ? "passes " : "refused",
                    first(Shown.text(backend.path("cluster")), workloads),
                    Shown.text(backend.path("reason")),
                    Shown.text(backend.path("access")),
                    Shown.text(backend.path("accessFrom")));
            out.printf("           %s%n", Shown.text(backend.path("detail")));
            for (JsonNode grant : backend.path("grants")) {
                out.printf(
                        "           %s TrafficTarget %s: %s%n",
                        grant.path("allows").asBoolean() ? "+" : "-",
                        Shown.text(grant.path("target")),
                        Shown.text(grant.path("explanation")));
            }
        }
        StreamSupport.stream(answer.path("backends").spliterator(), false)
                .map(backend -> Shown.text(backend.path("cure")).strip())
                .filter(cure -> !cure.isEmpty())
                .distinct()
                .forEach(cure ->
                        out.printf("this would allow it:%n%s%n", cure.indent(2).stripTrailing()));
    }

    @Override
    int exitCode(JsonNode answer) {
        String outcome = outcome(answer);
        return MAY.contains(outcome) ? ExitCode.YES : outcome.equals("unknown") ? ExitCode.NO_ANSWER : ExitCode.NO;
    }

    private static String outcome(JsonNode answer) {
        return Shown.text(answer.path("outcome")).toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private String qualified(String name) {
        return name.contains("/") || name.equals("unmeshed") ? name : namespace + "/" + name;
    }

    private static String first(String text, String other) {
        return text.isEmpty() ? other : text;
    }
}
