package dev.tulle.cli;

import dev.tulle.cli.inject.ManifestInjector;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.Injector;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tulle inject}: a filter that puts proxies into manifests, or takes them out. */
@Command(
        name = "inject",
        description = {
            "Put proxies into the pods of manifests, as the controller would: kubectl tulle inject shop.yaml | kubectl apply -f -",
            "Everything else stays as it is written. If one pod cannot be meshed, nothing is printed."
        },
        mixinStandardHelpOptions = true)
final class InjectCommand implements Callable<Integer> {
    private static final int MAX_BYTES = 64 << 20;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "manifests in YAML or JSON; '-' is standard input")
    private List<String> files = List.of();

    @Option(names = "--uninject", description = "take proxies out instead")
    private boolean takesOut;

    @Option(
            names = {"-n", "--namespace"},
            defaultValue = "default",
            description = "of objects that say none, for messages (default: default)")
    private String namespace = "default";

    @Option(
            names = "--image",
            defaultValue = "tulle/tulle-proxy:" + Tulle.VERSION,
            description = "of the proxy (default: tulle/tulle-proxy:" + Tulle.VERSION + ")")
    private String image = "";

    @Option(
            names = "--pull-policy",
            paramLabel = "POLICY",
            description = "of that image: Always, IfNotPresent or Never")
    private Optional<String> pullPolicy = Optional.empty();

    @Option(
            names = "--controller",
            paramLabel = "HOST:PORT",
            defaultValue = InjectSettings.CONTROLLER,
            description = "where the proxies enrol (default: " + InjectSettings.CONTROLLER + ")")
    private String controller = InjectSettings.CONTROLLER;

    @Option(
            names = {"-q", "--quiet"},
            description = "say only what is wrong")
    private boolean isQuiet;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        ManifestInjector injector = new ManifestInjector(
                new Injector(new InjectSettings(image, pullPolicy, Tulle.VERSION, controller, false)),
                namespace,
                takesOut);
        List<String> texts = new ArrayList<>();
        boolean isRefused = false;
        for (String file : files) {
            try {
                ManifestInjector.Outcome outcome = injector.inject(read(file));
                isRefused |= outcome.isRefused();
                outcome.notes().stream()
                        .filter(note -> !isQuiet || note.startsWith("error") || note.startsWith("warning"))
                        .forEach(note -> err.println(file + ": " + note));
                texts.add(outcome.text());
            } catch (IllegalArgumentException e) {
                err.println("tulle: %s: %s".formatted(file, e.getMessage()));
                return ExitCode.NO_ANSWER;
            } catch (IOException e) {
                err.println("tulle: " + ManifestFiles.told(file, e).getMessage());
                return ExitCode.NO_ANSWER;
            } finally {
                err.flush();
            }
        }
        if (isRefused) {
            err.println("tulle: nothing is printed, so that no pod is left out unnoticed");
            return ExitCode.NO;
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(joined(texts));
        out.flush();
        return ExitCode.YES;
    }

    private static String read(String file) throws IOException {
        byte[] bytes = file.equals("-") ? System.in.readNBytes(MAX_BYTES + 1) : Files.readAllBytes(Path.of(file));
        if (bytes.length > MAX_BYTES) {
            throw new IOException("is longer than %d bytes".formatted(MAX_BYTES));
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String joined(List<String> texts) {
        StringBuilder all = new StringBuilder();
        for (String text : texts) {
            if (!all.isEmpty()) {
                all.append(all.charAt(all.length() - 1) == '\n' ? "" : "\n").append("---\n");
            }
            all.append(text);
        }
        return all.toString();
    }
}
