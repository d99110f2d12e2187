package dev.tulle.controller.inject;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Whole pods: {@code inject/in/<case>.yaml}, a namespace and a pod, beside what becomes of the pod, {@code inject/out/<case>.yaml}.
 *
 * <p>Cases whose name begins with {@code osm} are under {@code compat: osm}. {@code -Dtulle.golden.write=true} writes the outputs anew; read
 * the difference like code.
 */
class InjectorGoldenTest {
    private static final Path IN = Path.of("src/test/resources/inject/in");
    private static final Path OUT = Path.of("src/test/resources/inject/out");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    @TestFactory
    List<DynamicTest> everyPodBecomesWhatItsFileSays() throws IOException {
        TreeSet<String> names = new TreeSet<>(names(IN));
        names.addAll(names(OUT));
        assertThat(names).hasSizeGreaterThan(20);
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : names) {
            tests.add(DynamicTest.dynamicTest(name, () -> {
                String given = outcome(name);
                if (WRITE) {
                    Files.createDirectories(OUT);
                    Files.writeString(OUT.resolve(name), given);
                }
                assertThat(given).isEqualTo(Files.readString(OUT.resolve(name)));
            }));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> whatIsInjectedStaysAsItIsThen() throws IOException {
        return names(IN).stream()
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    // Given
                    Case given = Case.read(IN.resolve(name));
                    if (given.decide() instanceof Decision.Inject(Tuning tuning, List<String> warnings)) {
                        ObjectNode meshed = given.injector().inject(given.pod(), tuning);
                        // When
                        Decision again = given.injector().decide(given.namespace(), meshed, "Pod", "web");
                        // Then
                        assertThat(again)
                                .isInstanceOfSatisfying(
                                        Decision.Skip.class,
                                        skip -> assertThat(skip.reason()).isEqualTo(Decision.Reason.INJECTED));
                        assertThat(JsonPatchTest.applied(given.pod(), JsonPatch.between(given.pod(), meshed)))
                                .isEqualTo(meshed);
                    }
                }))
                .toList();
    }

    private static List<String> names(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static String outcome(String name) throws IOException {
        Case given = Case.read(IN.resolve(name));
        return switch (given.decide()) {
            case Decision.Inject(Tuning tuning, List<String> warnings) ->
                warnings.stream().map("# warning: %s%n"::formatted).reduce("", String::concat)
                        + Yaml.text(given.injector().inject(given.pod(), tuning));
            case Decision.Skip skip ->
                "# %s%s: %s%n"
                        .formatted(skip.reason(), skip.isUnexpected() ? " (told as an Event)" : "", skip.sentence());
            case Decision.Refuse(List<String> problems) ->
                problems.stream().map("# refused: %s%n"::formatted).reduce("", String::concat);
        };
    }

    /** One file: a namespace, then a pod. */
    private record Case(Injector injector, NamespaceView namespace, ObjectNode pod) {
        static Case read(Path file) throws IOException {
            List<JsonNode> documents = Yaml.documents(Files.readString(file));
            JsonNode metadata = documents.get(0).path("metadata");
            boolean osm = file.getFileName().toString().startsWith("osm");
            InjectSettings usual = InjectSettings.of("tulle-proxy:1.2.3", "1.2.3");
            return new Case(
                    new Injector(new InjectSettings(
                            usual.image(), usual.pullPolicy(), usual.version(), usual.controller(), osm)),
                    NamespaceView.of(
                            metadata.path("name").asText(),
                            NamespaceView.words(metadata.path("labels")),
                            NamespaceView.words(metadata.path("annotations"))),
                    (ObjectNode) documents.get(1));
        }

        Decision decide() {
            JsonNode metadata = pod.path("metadata");
            String name =
                    metadata.path("name").asText(metadata.path("generateName").asText());
            return injector.decide(namespace, pod, "Pod", name);
        }
    }
}
