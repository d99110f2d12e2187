package dev.tulle.cli.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.cli.inject.ManifestInjector.Outcome;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.inject.Injector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Whole manifests: {@code inject/in/<case>.yaml} beside what comes out, {@code inject/out/<case>.yaml}, with its notes as comments behind it.
 *
 * <p>{@code -Dtulle.golden.write=true} writes the outputs anew; read the difference like code.
 */
class ManifestInjectorTest {
    private static final Path IN = Path.of("src/test/resources/inject/in");
    private static final Path OUT = Path.of("src/test/resources/inject/out");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    private static final Injector INJECTOR = new Injector(InjectSettings.of("tulle-proxy:1.2.3", "1.2.3"));
    private static final ManifestInjector PUTTING_IN = new ManifestInjector(INJECTOR, "default", false);
    private static final ManifestInjector TAKING_OUT = new ManifestInjector(INJECTOR, "default", true);

    @TestFactory
    List<DynamicTest> everyManifestBecomesWhatItsFileSays() throws IOException {
        TreeSet<String> names = new TreeSet<>(names(IN));
        names.addAll(names(OUT));
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : names) {
            tests.add(DynamicTest.dynamicTest(name, () -> {
                Outcome outcome = PUTTING_IN.inject(Files.readString(IN.resolve(name)));
                String given = (outcome.isRefused() ? "# refused\n" : outcome.text())
                        + outcome.notes().stream()
                                .map("# note: %s\n"::formatted)
                                .reduce("", String::concat);
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
    List<DynamicTest> whatIsPutInComesOutAgain() throws IOException {
        return names(IN).stream()
                .map(name -> DynamicTest.dynamicTest(name, () -> {
                    // Given
                    String text = Files.readString(IN.resolve(name));
                    Outcome meshed = PUTTING_IN.inject(text);
                    // When
                    Outcome plain = TAKING_OUT.inject(meshed.text());
                    // Then
                    assertThat(withoutEmpty(values(plain.text()))).isEqualTo(withoutEmpty(values(text)));
                    assertThat(PUTTING_IN.inject(meshed.text()).text()).isEqualTo(meshed.text());
                    assertThat(TAKING_OUT.inject(text).text()).isEqualTo(text);
                }))
                .toList();
    }

    @Test
    void keepsEveryLineThatSaysNothingElse() throws IOException {
        String text = Files.readString(IN.resolve("shop.yaml"));

        List<String> after = PUTTING_IN.inject(text).text().lines().toList();

        assertThat(text.lines()
                        .filter(line ->
                                !line.contains("tcpSocket") && !line.strip().equals("port: http")))
                .allSatisfy(line -> assertThat(after).contains(line));
    }

    @Test
    void namesLineAndColumnOfWhatIsNoYaml() {
        assertThatThrownBy(() -> PUTTING_IN.inject("kind: Pod\n  spec: [\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("line 2");
    }

    @Test
    void isNotTakenInByAliasesThatMultiply() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 9; i++) {
            bomb.append("a%d: &a%d [%s]\n".formatted(i, i, ("*a" + (i - 1) + ",").repeat(10)));
        }
        assertThatThrownBy(() -> PUTTING_IN.inject(bomb.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("alias");
    }

    private static List<JsonNode> values(String text) {
        return YamlTree.documents(text).stream().map(YamlTree::value).toList();
    }

    /** Named ports of probes come back as numbers, and empty metadata not at all. */
    private static String withoutEmpty(List<JsonNode> values) {
        return values.toString()
                .replace("\"port\":\"http\"", "\"port\":8080")
                .replaceAll(",?\"(annotations|metadata)\":(null|\\{})", "")
                .replace("{,", "{");
    }

    private static List<String> names(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
