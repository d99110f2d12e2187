package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Finding;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Lint;
import dev.tulle.controller.lint.Manifests;
import dev.tulle.controller.resources.ObjectRef;
import dev.tulle.controller.watch.ManifestReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tulle lint}: what is wrong or doubtful in manifests, or in what a cluster has. */
@Command(
        name = "lint",
        description = {
            "Say everything that is wrong or doubtful in SMI objects and in Tulle's labels and annotations, with cause and cure; the admission "
                    + "webhook says the same of each object.",
            "What is missing is an error only if the files hold a Service or a workload of its namespace; else it may be elsewhere."
        },
        footer =
                "%nExit code: 0 no errors (with --strict: no warnings either), 1 errors, 2 not readable or wrong usage.",
        mixinStandardHelpOptions = true)
final class LintCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "manifests in YAML or JSON, or directories of them; '-' is standard input")
    private List<String> paths = List.of();

    @Option(
            names = "--cluster",
            description =
                    "look at the cluster that kubectl speaks to instead: kubectl get of all it takes, in all namespaces")
    private boolean isCluster;

    @Option(
            names = {"-n", "--namespace"},
            defaultValue = "default",
            description = "of objects that say none (default: default)")
    private String namespace = "default";

    @Option(names = "--strict", description = "warnings count like errors")
    private boolean isStrict;

    @Option(names = "--info", description = "say also what is worth knowing and no fault")
    private boolean hasInfo;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text or json (default: text)")
    private Output output = Output.text;

    /** How findings are written. */
    enum Output {
        text,
        json
    }

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        if (isCluster != paths.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "name files or directories, '-', or --cluster");
        }
        Manifests manifests;
        try {
            manifests = isCluster
                    ? ClusterManifests.read(Kubectl.ON_PATH)
                    : ManifestReader.read(ManifestFiles.read(paths, System.in), namespace);
        } catch (IOException e) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("tulle: " + e.getMessage());
            err.flush();
            return ExitCode.NO_ANSWER;
        }
        List<Finding> findings = new Lint(InjectSettings.of("tulle/tulle-proxy:" + Tulle.VERSION, Tulle.VERSION))
                .of(manifests).stream()
                        .filter(finding -> hasInfo || finding.level() != Level.INFO)
                        .toList();
        PrintWriter out = spec.commandLine().getOut();
        if (output == Output.json) {
            out.println(ServerOptions.pretty(asJson(findings)));
        } else {
            findings.forEach(finding -> out.println(text(finding)));
            out.println("%d objects, %d errors, %d warnings"
                    .formatted(
                            manifests.objects().size(), count(findings, Level.ERROR), count(findings, Level.WARNING)));
        }
        out.flush();
        boolean isWrong = findings.stream()
                .anyMatch(finding -> finding.level() == Level.ERROR || (isStrict && finding.level() == Level.WARNING));
        return isWrong ? ExitCode.NO : ExitCode.YES;
    }

    private static long count(List<Finding> findings, Level level) {
        return findings.stream().filter(finding -> finding.level() == level).count();
    }

    private static String text(Finding finding) {
        String mark = switch (finding.level()) {
            case ERROR -> "@|red error|@  ";
            case WARNING -> "@|yellow warning|@";
            case INFO -> "info   ";
        };
        String indent = System.lineSeparator() + " ".repeat(8);
        StringBuilder text = new StringBuilder(Ansi.AUTO.string(mark)).append(' ');
        finding.place().ifPresent(place -> text.append(place).append(' '));
        text.append(finding.object().map(ObjectRef::toString).orElse("(no object)"));
        text.append(finding.field().isEmpty() ? "" : ", " + finding.field());
        text.append(indent).append(finding.cause());
        text.append(finding.effect().isEmpty() ? "" : "; " + finding.effect());
        text.append(indent).append("-> ").append(finding.cure());
        return text.append("  [").append(finding.rule()).append(']').toString();
    }

    static JsonNode asJson(List<Finding> findings) {
        ObjectNode answer = new ObjectMapper().createObjectNode();
        ArrayNode list = answer.putArray("findings");
        for (Finding finding : findings) {
            ObjectNode json = list.addObject()
                    .put("level", finding.level().name().toLowerCase(Locale.ROOT))
                    .put("rule", finding.rule());
            finding.object()
                    .ifPresent(object -> json.put("kind", object.kind())
                            .put("namespace", object.namespace())
                            .put("name", object.name()));
            finding.place().ifPresent(place -> json.put("file", place.file()).put("line", place.line()));
            json.put("field", finding.field())
                    .put("cause", finding.cause())
                    .put("effect", finding.effect())
                    .put("cure", finding.cure());
        }
        return answer;
    }
}
