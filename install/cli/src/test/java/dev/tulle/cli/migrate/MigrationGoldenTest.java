package dev.tulle.cli.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.cli.inject.ManifestText;
import dev.tulle.controller.assemble.MeshAssembler;
import dev.tulle.controller.inject.InjectSettings;
import dev.tulle.controller.lint.Finding.Level;
import dev.tulle.controller.lint.Lint;
import dev.tulle.controller.lint.Manifests;
import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.watch.ManifestReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole migrations: {@code migrate/<mesh>/in} beside what becomes of it, {@code out}, and what is said of it, {@code notes.txt}.
 *
 * <p>{@code -Dtulle.golden.write=true} writes both anew; read the difference like code.
 */
class MigrationGoldenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/migrate");
    private static final boolean WRITE = Boolean.getBoolean("tulle.golden.write");

    @ParameterizedTest
    @ValueSource(strings = {"osm", "linkerd-smi"})
    void writesTheseManifestsAndSaysThis(String mesh) throws IOException {
        Migrated migrated = migrate(mesh);
        Path out = GOLDEN.resolve(mesh).resolve("out");
        String notes =
                migrated.notes().stream().map(MigrationGoldenTest::line).collect(Collectors.joining("\n", "", "\n"));
        if (WRITE) {
            Files.createDirectories(out);
            for (var file : migrated.files().entrySet()) {
                Files.writeString(out.resolve(file.getKey()), file.getValue());
            }
            Files.writeString(GOLDEN.resolve(mesh).resolve("notes.txt"), notes);
        }

        assertThat(migrated.files()).isEqualTo(read(out));
        assertThat(notes).isEqualTo(Files.readString(GOLDEN.resolve(mesh).resolve("notes.txt")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"osm", "linkerd-smi"})
    void whatIsWrittenHasNoErrorsAndNoProblemOfTheMesh(String mesh) throws IOException {
        Manifests manifests = ManifestReader.read(migrate(mesh).files(), "default");

        assertThat(new Lint(InjectSettings.of("tulle-proxy:1", "1")).of(manifests))
                .filteredOn(finding -> finding.level() == Level.ERROR)
                .isEmpty();
        assertThat(MeshAssembler.assemble(manifests.resources()).problems())
                .filteredOn(problem -> problem.severity() != Problem.Severity.INFO)
                .isEmpty();
        assertThat(manifests.resources().targets()).hasSizeGreaterThan(1);
        assertThat(manifests.resources().splits()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"osm", "linkerd-smi"})
    void everyObjectIsSpokenOf(String mesh) throws IOException {
        List<String> said = migrate(mesh).notes().stream().map(Note::object).toList();

        for (String stream : read(GOLDEN.resolve(mesh).resolve("in")).values()) {
            for (String document : ManifestText.documents(stream)) {
                ManifestText.values(document).forEach(value -> {
                    String name = value.at("/metadata/name").asText();
                    assertThat(said)
                            .anySatisfy(object -> assertThat(object)
                                    .startsWith(value.path("kind").asText() + " ")
                                    .endsWith(name));
                });
            }
        }
    }

    private static Migrated migrate(String mesh) throws IOException {
        SortedMap<String, String> files = read(GOLDEN.resolve(mesh).resolve("in"));
        return mesh.equals("osm") ? OsmMigration.migrate(files) : LinkerdMigration.migrate(files);
    }

    private static String line(Note note) {
        return "%s %s: %s, %s: %s%s"
                .formatted(
                        note.outcome(),
                        note.file(),
                        note.object(),
                        note.field(),
                        note.said(),
                        note.cure().isEmpty() ? "" : " -> " + note.cure());
    }

    private static SortedMap<String, String> read(Path directory) throws IOException {
        SortedMap<String, String> texts = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                texts.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        return texts;
    }
}
