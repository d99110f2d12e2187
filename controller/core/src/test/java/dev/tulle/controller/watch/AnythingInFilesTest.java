package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.tulle.controller.assemble.Assembled;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Lint;
import dev.tulle.controller.model.Mesh;
import dev.tulle.controller.model.Workload;
import dev.tulle.controller.translate.ProxyConfigs;
import dev.tulle.controller.watch.YamlFile.Document;
import dev.tulle.controller.watch.YamlFile.Documents;
import dev.tulle.controller.why.AskedRequest;
import dev.tulle.controller.why.Why;
import dev.tulle.controller.why.WhyQuestion;
import dev.tulle.proxy.model.DestinationKey;
import dev.tulle.proxy.model.WorkloadId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever stands in the files, reading, assembling, translating and explaining give values and never throw. */
class AnythingInFilesTest {
    private static final int ROUNDS = 1_000;
    private static final List<String> WORDS = List.of(
            "",
            "null",
            "-1",
            "0",
            "99999999999999999999",
            "1e9",
            "[]",
            "{}",
            "[x]",
            "{a: b}",
            "true",
            "'",
            "\"",
            "*a",
            "&a x",
            "<<: {a: 1}",
            "!!binary x",
            "127.0.0.1:80",
            "::",
            "[::1]:80",
            "name: name",
            "%",
            "\u0000",
            "é",
            "/",
            "..",
            "kind: List",
            "apiVersion: v1",
            "metadata:",
            "spec:",
            "---",
            "? [a]",
            "(?=x)",
            "500m",
            "v1alpha1");

    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(42);

    @Test
    void neverThrows() throws IOException {
        List<String> files = goldenInputs();
        ResourceReader reader = new ResourceReader();
        int readable = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String text = mutated(files.get(random.nextInt(files.size())));
            YamlFile file = YamlFile.read(text);
            if (file instanceof Documents(List<Document> documents)) {
                readable++;
                SortedMap<String, List<Document>> named = new TreeMap<>();
                named.put("mutated.yaml", documents);
                assertThatCode(() -> use(MeshAssembler.assemble(reader.read(named, List.of()))))
                        .as(text)
                        .doesNotThrowAnyException();
            }
            assertThatCode(() -> new Lint(InjectSettings.of("tulle-proxy:1", "1"))
                            .of(ManifestReader.read(new TreeMap<>(Map.of("mutated.yaml", text)), "default")))
                    .as(text)
                    .doesNotThrowAnyException();
        }
        assertThat(readable).isGreaterThan(ROUNDS / 4);
    }

    private void use(Assembled assembled) {
        Mesh mesh = assembled.mesh();
        for (Workload workload : mesh.workloads().values()) {
            assertThat(ProxyConfigs.workloadConfig(mesh, workload.id())).isPresent();
            workload.outbound()
                    .forEach(listener -> ProxyConfigs.destination(mesh, workload.id(), listener.destination()));
        }
        mesh.services().values().forEach(service -> {
            WorkloadId viewer = new WorkloadId("shop", "viewer");
            service.ports()
                    .forEach(port -> ProxyConfigs.destination(
                            mesh,
                            viewer,
                            new DestinationKey.ServicePort(
                                    service.name().namespace(), service.name().name(), port.port())));
            Why.ask(
                    mesh,
                    new WhyQuestion(
                            random.nextBoolean() ? "spiffe://cluster.local/ns/front/sa/web" : word(),
                            service.name().toString(),
                            Optional.of(80),
                            Optional.of(AskedRequest.of("GET", "/rows"))));
        });
        Why.ask(mesh, new WhyQuestion(word(), word(), Optional.empty(), Optional.of(AskedRequest.of(word(), word()))));
    }

    private String word() {
        return WORDS.get(random.nextInt(WORDS.size()));
    }

    /** A text with some of its lines dropped, doubled, moved, indented otherwise or given another value. */
    private String mutated(String text) {
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
        for (int changes = random.nextInt(1, 3); changes > 0; changes--) {
            int at = random.nextInt(lines.size());
            String line = lines.get(at);
            int colon = line.indexOf(':');
            int comma = line.lastIndexOf(',');
            switch (random.nextInt(7)) {
                case 0 -> lines.set(at, "");
                case 1 -> lines.add(at, line);
                case 2 ->
                    lines.set(
                            at,
                            colon < 0
                                    ? word()
                                    : line.substring(0, colon + 2 > line.length() ? colon : colon + 2) + word());
                case 3 -> lines.set(at, "  " + line);
                case 4 -> lines.add(random.nextInt(lines.size()), line);
                case 5 -> lines.set(at, comma < 0 ? line : line.substring(0, comma) + ", " + word() + "}");
                default ->
                    lines.set(
                            at,
                            line.replaceFirst(
                                    "[0-9a-z]+(?=[,}\\s]*$)", java.util.regex.Matcher.quoteReplacement(word())));
            }
        }
        return String.join("\n", lines);
    }

    private static List<String> goldenInputs() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/test/resources/golden"));
                Stream<Path> wrong = Files.walk(Path.of("src/test/resources/lint"))) {
            return Stream.concat(files, wrong)
                    .filter(path -> path.toString().endsWith(".yaml"))
                    .sorted()
                    .map(AnythingInFilesTest::text)
                    .collect(Collectors.toList());
        }
    }

    private static String text(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
