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
import java.nio.file.FileSystemException;
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
import java.util.regex.Pattern;
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
    /** Namespaces of platforms and meshes: what is in them is nobody's application. */
    private static final Pattern SYSTEM =
            Pattern.compile("kube-.*|osm-system|linkerd|linkerd-(viz|smi|jaeger|multicluster|cni)|tulle-system");

    /** What applications are made of; what a mesh adds is found by its API groups. */
    private static final List<String> KINDS = List.of(
            "namespaces",
            "services",
            "pods",
            "deployments.apps",
            "statefulsets.apps",
            "daemonsets.apps",
            "replicasets.apps",
            "jobs.batch",
            "cronjobs.batch");

    /** Those that something else usually makes, and then writes as it likes. */
    private static final Set<String> MADE = Set.of("Pod", "ReplicaSet", "Job");

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

        @Option(
                names = "--cluster",
                description =
                        "read the cluster that kubectl speaks to instead: what runs pods, Services, and the mesh's own objects, outside of the "
                                + "namespaces of Kubernetes and of meshes")
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
        List<String> kinds = new ArrayList<>(KINDS);
        Kubectl.ON_PATH.listable().stream()
                .filter(name -> (name.endsWith("smi-spec.io") && !name.contains("metrics.smi-spec.io"))
                        || groups.stream().anyMatch(name::endsWith))
                .forEach(kinds::add);
        ObjectMapper json = new ObjectMapper();
        JsonNode all = json.readTree(Kubectl.ON_PATH.run("get", String.join(",", kinds), "-A", "-o", "json"));
        ObjectNode list = json.createObjectNode().put("apiVersion", "v1").put("kind", "List");
        ArrayNode items = list.putArray("items");
        for (JsonNode item : all.path("items")) {
            String apiVersion = item.path("apiVersion").asText();
            boolean isTheirs = groups.stream().anyMatch(group -> apiVersion.contains(group + "/"));
            String place = item.path("kind").asText().equals("Namespace")
                    ? item.at("/metadata/name").asText()
                    : item.at("/metadata/namespace").asText();
            boolean isMade = MADE.contains(item.path("kind").asText())
                    && item.at("/metadata/ownerReferences").size() > 0;
            boolean isApiServer = item.path("kind").asText().equals("Service")
                    && item.at("/metadata/labels/provider").asText().equals("kubernetes");
            if (isTheirs || (!isMade && !isApiServer && !SYSTEM.matcher(place).matches())) {
                items.add(item);
            }
        }
        ClusterManifests.settings(Kubectl.ON_PATH).ifPresent(items::add);
        return new TreeMap<>(Map.of("cluster.yaml", json.writeValueAsString(list)));
    }

    /** Files keep their names below the directory; what would lead out of it does not. */
    private static void write(Path directory, SortedMap<String, String> files) throws IOException {
        SortedMap<Path, String> targets = new TreeMap<>();
        for (Map.Entry<String, String> file : files.entrySet()) {
            Path target = target(directory, file.getKey());
            if (targets.put(target, file.getValue()) != null) {
                throw new IOException(
                        "two files would be %s: migrate them one by one, or from the directory both are below"
                                .formatted(target));
            }
        }
        for (Path target : targets.keySet()) {
            if (Files.exists(target)) {
                throw new IOException("%s is there already: name a new directory with -d".formatted(target));
            }
        }
        try {
            for (Map.Entry<Path, String> target : targets.entrySet()) {
                Path parent = target.getKey().getParent();
                if (parent != null) {
                    Files.createDirectories(parent);
                }
                Files.writeString(target.getKey(), target.getValue());
            }
        } catch (FileSystemException e) {
            throw ManifestFiles.told(directory.toString(), e);
        }
    }

    private static Path target(Path directory, String file) {
        String name = file.equals(ManifestFiles.STANDARD_INPUT) ? "manifests.yaml" : file;
        Path relative = Path.of(name).normalize();
        return directory.resolve(
                relative.isAbsolute() || relative.startsWith("..")
                        ? Path.of(String.valueOf(relative.getFileName()))
                        : relative);
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
