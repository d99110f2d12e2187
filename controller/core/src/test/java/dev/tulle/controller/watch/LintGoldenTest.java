package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Finding;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Lint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * One folder a rule: {@code lint/<rule>/wrong.yaml} beside what is found in it, {@code wrong.txt}, and {@code right.yaml}, in which nothing is.
 *
 * <p>{@code -Dtulle.golden.write=true} writes the findings anew; read the difference like code.
 */
class LintGoldenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/lint");
    private static final Path MANUAL = Path.of("../../install/lint.md");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    @TestFactory
    List<DynamicTest> everyRuleFindsWhatItIsForAndSaysIt() throws IOException {
        return rules().stream()
                .map(rule -> DynamicTest.dynamicTest(rule, () -> {
                    List<Finding> findings = lint(rule, "wrong.yaml");
                    String given =
                            findings.stream().map(LintGoldenTest::line).collect(Collectors.joining("\n", "", "\n"));
                    Path expected = GOLDEN.resolve(rule).resolve("wrong.txt");
                    if (WRITE) {
                        Files.writeString(expected, given);
                    }
                    assertThat(findings)
                            .anySatisfy(finding -> assertThat(finding.rule()).isEqualTo(rule));
                    assertThat(findings).allSatisfy(finding -> {
                        assertThat(finding.cause()).isNotEmpty();
                        assertThat(finding.cure()).isNotEmpty();
                        assertThat(finding.place()).isPresent();
                    });
                    assertThat(given).isEqualTo(Files.readString(expected));
                }))
                .toList();
    }

    @TestFactory
    List<DynamicTest> noRuleFindsAnythingWhereAllIsWell() throws IOException {
        return rules().stream()
                .map(rule -> DynamicTest.dynamicTest(
                        rule, () -> assertThat(lint(rule, "right.yaml")).isEmpty()))
                .toList();
    }

    @Test
    void theManualHasARowForEveryRule() throws IOException {
        String manual = Files.readString(MANUAL);

        assertThat(rules()).allSatisfy(rule -> assertThat(manual).contains("| `" + rule + "` |"));
        assertThat(manual.lines().filter(line -> line.startsWith("| `")).count())
                .isEqualTo(rules().size());
    }

    private static List<Finding> lint(String rule, String file) throws IOException {
        String text = Files.readString(GOLDEN.resolve(rule).resolve(file));
        return new Lint(InjectSettings.of("tulle-proxy:1", "1"))
                .of(ManifestReader.read(new TreeMap<>(Map.of(file, text)), "default")).stream()
                        .filter(finding -> finding.level() != Level.INFO)
                        .toList();
    }

    private static String line(Finding finding) {
        return "%s %s %s [%s]\n    %s\n    %s\n    -> %s"
                .formatted(
                        finding.level(),
                        finding.place().map(Object::toString).orElse("nowhere"),
                        finding.object().map(Object::toString).orElse("no object") + ", " + finding.field(),
                        finding.rule(),
                        finding.cause(),
                        finding.effect().isEmpty() ? "(nothing more to say)" : finding.effect(),
                        finding.cure());
    }

    private static List<String> rules() throws IOException {
        try (Stream<Path> folders = Files.list(GOLDEN)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }
}
