package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tulle.cli.migrate.LinkerdMigration;
import dev.tulle.cli.migrate.Migrated;
import dev.tulle.cli.migrate.Note;
import dev.tulle.cli.migrate.Note.Outcome;
import dev.tulle.cli.migrate.OsmMigration;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tulle migrate}: manifests of other meshes as Tulle needs them, and a word on each thing. */
@Command(
        name = "migrate",
        description = "Make Tulle's manifests of another mesh's; see 'tulle migrate osm --help'.",
        subcommands = {MigrateCommand.Osm.class, MigrateCommand.Linkerd.class},
        mixinStandardHelpOptions = true)
final class MigrateCommand implements Callable<Integer> {
    /** What namespaces of platforms and meshes begin with: what is in them is nobody's application. */
    private static final List<String> SYSTEM = List.of("kube-", "osm-system", "linkerd", "tulle-system");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.NO_ANSWER;
    }

    /** What both have in common. */
    static final class Options {
        @Parameters(
                paramLabel = "PATH",
                arity = "0..*",
                description =
                        "manifests in YAML or JSON, or directories of them; '-' is standard input, such as of kubectl get -o yaml")
        private List<String> paths = List.of();

        @Option(names = "--cluster", description = "read the cluster that kubectl speaks to instead")
        private boolean isCluster;

        @Option(
                names = {"-d", "--directory"},
                paramLabel = "DIR",
                description = "write the manifests there, one file for each (default: all on standard output)")
        private Optional<Path> directory = Optional.empty();

        @Option(
                names = {"-o", "--output"},
                paramLabel = "FORMAT",
                defaultValue = "text",
                description =
                        "of the report: text, on standard error, or json, on standard output with -d (default: text)")
        private LintCommand.Output output = LintCommand.Output.text;

        @Spec(Spec.Target.MIXEE)
        private CommandSpec spec = CommandSpec.create();
    }

    /** Turns texts by name into others. */
    private interface Migration {
        Migrated migrate(SortedMap<String, String> files);
    }

    /** {@code tulle migrate osm}. */
    @Command(
            name = "osm",
            description = {
                "Make Tulle's manifests of Open Service Mesh's (v1.2).",
                "What does not change stays as it is written; objects that Tulle does not know are left out and named."
            },
            footer =
                    "%nExit code: 0 everything done or approximated, 1 something is not supported, 2 not readable or wrong usage.",
            mixinStandardHelpOptions = true)
    static final class Osm implements Callable<Integer> {
        @Mixin
        private final Options options = new Options();

        @Override
        public Integer call() {
            return run(options, OsmMigration::migrate, Set.of("openservicemesh.io"));
        }
    }

    /** {@code tulle migrate linkerd-smi}. */
    @Command(
            name = "linkerd-smi",
            description = {
                "Make Tulle's manifests of those of Linkerd with its SMI extension.",
                "What does not change stays as it is written; objects that Tulle does not know are left out and named."
            },
            footer =
                    "%nExit code: 0 everything done or approximated, 1 something is not supported, 2 not readable or wrong usage.",
            mixinStandardHelpOptions = true)
    static final class Linkerd implements Callable<Integer> {
        @Mixin
        private final Options options = new Options();

        @Override
        public Integer call() {
            return run(options, LinkerdMigration::migrate, Set.of("linkerd.io"));
        }
    }

    private static int run(Options options, Migration migration, Set<String> groups) {
        if (options.isCluster != options.paths.isEmpty()) {
            throw new ParameterException(options.spec.commandLine(), "name files or directories, '-', or --cluster");
        }
        boolean isJson = options.output == LintCommand.Output.json;
        if (isJson && options.directory.isEmpty()) {
            throw new ParameterException(
                    options.spec.commandLine(), "-o json needs -d DIR: standard output holds the report");
        }
        PrintWriter out = options.spec.commandLine().getOut();
        PrintWriter err = options.spec.commandLine().getErr();
        Migrated migrated;
        try {
            SortedMap<String, String> files =
                    options.isCluster ? ofCluster(groups) : ManifestFiles.read(options.paths, System.in);
            migrated = migration.migrate(files);
            if (options.directory.isPresent()) {
                write(options.directory.get(), migrated.files());
            }
        } catch (IOException | IllegalArgumentException e) {
            err.println("tulle: " + e.getMessage());
            err.flush();
            return ExitCode.NO_ANSWER;
        }
        if (options.directory.isEmpty()) {
            out.print(String.join(
                    "---\n",
                    migrated.files().values().stream()
                            .map(text -> text.endsWith("\n") ? text : text + "\n")
                            .toList()));
        }
        if (isJson) {
            out.println(ServerOptions.pretty(asJson(migrated.notes())));
        } else {
            migrated.notes().forEach(note -> err.println(text(note)));
            err.println(summary(migrated.notes()));
        }
        out.flush();
        err.flush();
        return migrated.notes().stream().anyMatch(note -> note.outcome() == Outcome.UNSUPPORTED)
                ? ExitCode.NO
                : ExitCode.YES;
    }

    private static SortedMap<String, String> ofCluster(Set<String> groups) throws IOException {
        List<String> kinds = new ArrayList<>(
                List.of("namespaces", "services", "deployments.apps", "statefulsets.apps", "daemonsets.apps"));
        Kubectl.listable(Kubectl.KUBECTL).stream()
                .filter(name -> (name.endsWith("smi-spec.io") && !name.contains("metrics.smi-spec.io"))
                        || groups.stream().anyMatch(name::endsWith))
                .forEach(kinds::add);
        ObjectMapper json = new ObjectMapper();
        JsonNode all = json.readTree(Kubectl.run(Kubectl.KUBECTL, "get", String.join(",", kinds), "-A", "-o", "json"));
        ObjectNode list = json.createObjectNode().put("apiVersion", "v1").put("kind", "List");
        ArrayNode items = list.putArray("items");
        for (JsonNode item : all.path("items")) {
            String apiVersion = item.path("apiVersion").asText();
            boolean isTheirs = groups.stream().anyMatch(group -> apiVersion.contains(group + "/"));
            String place = item.path("kind").asText().equals("Namespace")
                    ? item.at("/metadata/name").asText()
                    : item.at("/metadata/namespace").asText();
            if (isTheirs || SYSTEM.stream().noneMatch(place::startsWith)) {
                items.add(item);
            }
        }
        return new TreeMap<>(Map.of("cluster.yaml", json.writeValueAsString(list)));
    }

    /** Files keep their names below the directory; what would lead out of it does not. */
    private static void write(Path directory, SortedMap<String, String> files) throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            String name = file.getKey().equals(ManifestFiles.STANDARD_INPUT) ? "manifests.yaml" : file.getKey();
            Path relative = Path.of(name).normalize();
            Path below = relative.isAbsolute() || relative.startsWith("..")
                    ? Path.of(String.valueOf(relative.getFileName()))
                    : relative;
            Path target = directory.resolve(below);
            if (Files.exists(target)) {
                throw new IOException("%s is there already: name a new directory with -d".formatted(target));
            }
            if (target.getParent() != null) {
                Files.createDirectories(target.getParent());
            }
            Files.writeString(target, file.getValue());
        }
    }

    private static String text(Note note) {
        return "%-12s %s: %s%s: %s%s"
                .formatted(
                        note.outcome().name().toLowerCase(Locale.ROOT),
                        note.file(),
                        note.object(),
                        note.field().isEmpty() ? "" : ", " + note.field(),
                        note.said(),
                        note.cure().isEmpty() ? "" : " -> " + note.cure());
    }

    private static String summary(List<Note> notes) {
        Map<Outcome, Long> counts = notes.stream().collect(Collectors.groupingBy(Note::outcome, Collectors.counting()));
        List<String> words = new ArrayList<>();
        for (Outcome outcome : Outcome.values()) {
            words.add("%d %s"
                    .formatted(counts.getOrDefault(outcome, 0L), outcome.name().toLowerCase(Locale.ROOT)));
        }
        return String.join(", ", words);
    }

    private static JsonNode asJson(List<Note> notes) {
        ObjectNode answer = new ObjectMapper().createObjectNode();
        ArrayNode list = answer.putArray("notes");
        for (Note note : notes) {
            list.addObject()
                    .put("outcome", note.outcome().name().toLowerCase(Locale.ROOT))
                    .put("file", note.file())
                    .put("object", note.object())
                    .put("field", note.field())
                    .put("said", note.said())
                    .put("cure", note.cure());
        }
        return answer;
    }
}
