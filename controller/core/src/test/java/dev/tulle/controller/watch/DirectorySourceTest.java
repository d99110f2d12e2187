package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tulle.controller.resources.Problem;
import dev.tulle.controller.resources.Resources;
import dev.tulle.controller.resources.ServiceResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectorySourceTest {
    private static final Duration RESCAN = Duration.ofMillis(200);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    private final List<Resources> seen = new CopyOnWriteArrayList<>();
    private DirectorySource source;

    @BeforeEach
    void create() {
        source = new DirectorySource(directory, RESCAN);
    }

    @AfterEach
    void close() {
        source.close();
    }

    private static String service(String name, int port) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: shop}
                spec: {selector: {app: %s}, ports: [{port: %d}]}
                """.formatted(name, name, port);
    }

    private Path write(String file, String text) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text);
    }

    private Resources last() {
        return seen.getLast();
    }

    private List<String> names() {
        return last().services().stream().map(ServiceResource::name).toList();
    }

    private List<String> problems() {
        return last().problems().stream().map(Problem::toString).toList();
    }

    private void awaitLast(Predicate<Resources> condition) {
        await().atMost(PATIENCE).until(() -> condition.test(last()));
    }

    @Test
    void saysWhatIsThereBeforeStartReturns() throws IOException {
        write("a.yaml", service("a", 1) + "---\n" + service("b", 2));
        write("sub/c.yml", service("c", 3));
        write("d.json", "{\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ServiceAccount\", \"metadata\": {\"name\": \"d\"}}");
        write("notes.txt", "no object");
        write(".hidden.yaml", "no: object");

        source.start(seen::add);

        assertThat(names()).containsExactly("a", "b", "c");
        assertThat(last().serviceAccounts()).hasSize(1);
        assertThat(last().problems()).isEmpty();
    }

    @Test
    void seesFilesComeChangeAndGo() throws IOException {
        source.start(seen::add);
        assertThat(names()).isEmpty();

        write("a.yaml", service("a", 1));
        awaitLast(resources -> names().equals(List.of("a")));
        write("sub/deep/b.yaml", service("b", 1));
        awaitLast(resources -> names().equals(List.of("a", "b")));
        write("a.yaml", service("a", 2));
        awaitLast(
                resources -> resources.services().getFirst().ports().getFirst().port() == 2);
        Files.delete(directory.resolve("a.yaml"));
        awaitLast(resources -> names().equals(List.of("b")));
    }

    @Test
    void aFileReplacedByRenameIsSeen() throws IOException {
        Path file = write("a.yaml", service("a", 1));
        source.start(seen::add);

        Path next = Files.writeString(directory.resolve(".a.yaml.swp"), service("a", 2));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);

        awaitLast(
                resources -> resources.services().getFirst().ports().getFirst().port() == 2);
        assertThat(last().problems()).isEmpty();
    }

    @Test
    void aFileThatIsRenamedKeepsItsObjects() throws IOException {
        write("a.yaml", service("a", 1));
        source.start(seen::add);

        Files.move(directory.resolve("a.yaml"), directory.resolve("z.yaml"));

        awaitLast(resources -> resources.origins().values().stream()
                .anyMatch(origin -> origin.file().equals("z.yaml")));
        assertThat(names()).containsExactly("a");
        assertThat(last().problems()).isEmpty();
    }

    @Test
    void aBrokenFileKeepsItsLastGoodVersionAndSaysWhere() throws IOException {
        write("a.yaml", service("a", 1));
        write("b.yaml", service("b", 1));
        source.start(seen::add);

        write("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a\nspec: [\n");
        awaitLast(resources -> !resources.problems().isEmpty());

        assertThat(names()).containsExactly("a", "b");
        Problem problem = last().problems().getFirst();
        assertThat(problem.place()).hasValueSatisfying(place -> {
            assertThat(place.file()).isEqualTo("a.yaml");
            assertThat(place.line()).isEqualTo(4);
            assertThat(place.column()).isPositive();
        });
        assertThat(problem.message()).startsWith("not YAML: ");
        assertThat(problem.outcome()).isEqualTo("the last good version of its objects is kept");

        write("b.yaml", service("b", 2));
        awaitLast(resources -> resources.services().get(1).ports().getFirst().port() == 2);
        assertThat(last().problems()).hasSize(1);

        write("a.yaml", service("a", 3));
        awaitLast(resources -> resources.problems().isEmpty());
        assertThat(last().services().getFirst().ports().getFirst().port()).isEqualTo(3);
    }

    @Test
    void aBrokenFileThatIsDeletedIsForgotten() throws IOException {
        write("a.yaml", service("a", 1));
        source.start(seen::add);
        write("a.yaml", "}");
        awaitLast(resources -> !resources.problems().isEmpty());

        Files.delete(directory.resolve("a.yaml"));

        awaitLast(resources -> resources.problems().isEmpty());
        assertThat(names()).isEmpty();
    }

    @Test
    void aFileBrokenFromTheBeginningIsLeftOutAndTheOthersHold() throws IOException {
        write("a.yaml", "a: b: c");
        write("b.yaml", service("b", 1));

        source.start(seen::add);

        assertThat(names()).containsExactly("b");
        assertThat(problems())
                .singleElement()
                .asString()
                .startsWith("a.yaml:1:5: not YAML: ")
                .endsWith("the file is left out");
    }

    @Test
    void aFileThatIsNoTextOrTooLargeIsToldAndTheOthersHold() throws IOException {
        Files.write(directory.resolve("a.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        Files.write(directory.resolve("b.yaml"), new byte[DirectorySource.MAX_FILE_BYTES + 1]);
        write("c.yaml", service("c", 1));

        source.start(seen::add);

        assertThat(names()).containsExactly("c");
        assertThat(problems())
                .containsExactly(
                        "a.yaml: is not UTF-8 text -> the file is left out",
                        "b.yaml: is larger than 4194304 bytes; split it -> the file is left out");
    }

    @Test
    void moreFilesThanAreReadAreTold() throws IOException {
        for (int i = 0; i <= DirectorySource.MAX_FILES; i++) {
            Files.createFile(directory.resolve("f%04d.yaml".formatted(i)));
        }

        source.start(seen::add);

        assertThat(problems())
                .containsExactly(
                        "f2000.yaml: there are more than 2000 files or 16777216 bytes -> this file and those after"
                                + " it are left out");
    }

    @Test
    void aFileThatMayNotBeReadIsTold() throws IOException {
        Path file = write("a.yaml", service("a", 1));
        assumeTrue(file.toFile().setReadable(false) && !Files.isReadable(file), "root reads everything");

        source.start(seen::add);

        assertThat(problems())
                .containsExactly("a.yaml: may not be read; check its permissions -> the file is left out");
    }

    @Test
    void aDirectoryThatGoesAwayKeepsTheLastGoodVersionOfEverything() throws IOException {
        Path below = Files.createDirectory(directory.resolve("mesh"));
        Path elsewhere = directory.resolve("moved");
        source.close();
        source = new DirectorySource(below, RESCAN);
        write("mesh/a.yaml", service("a", 1));
        source.start(seen::add);

        Files.move(below, elsewhere);
        awaitLast(resources -> !resources.problems().isEmpty());
        assertThat(names()).containsExactly("a");
        assertThat(problems())
                .singleElement()
                .asString()
                .endsWith("mesh: is not there -> the last good version of everything is kept");

        Files.move(elsewhere, below);
        write("mesh/a.yaml", service("a", 2));
        awaitLast(resources -> resources.problems().isEmpty()
                && resources.services().getFirst().ports().getFirst().port() == 2);
    }

    @Test
    void aDirectoryThatIsNotThereYetIsToldAndThenRead() throws IOException {
        Path later = directory.resolve("later");
        source.close();
        source = new DirectorySource(later, RESCAN);
        source.start(seen::add);
        assertThat(problems()).singleElement().asString().contains("is not there");

        write("later/a.yaml", service("a", 1));

        awaitLast(resources -> names().equals(List.of("a")));
        assertThat(last().problems()).isEmpty();
    }

    @Test
    void aLinkIsFollowedAndALoopIsNot() throws IOException {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Path mesh = Files.createDirectory(directory.resolve("mesh"));
        Files.writeString(outside.resolve("real"), service("a", 1));
        Files.createSymbolicLink(mesh.resolve("a.yaml"), outside.resolve("real"));
        Files.createSymbolicLink(mesh.resolve("again"), mesh);
        Files.createSymbolicLink(mesh.resolve("nowhere.yaml"), mesh.resolve("missing"));
        source.close();
        source = new DirectorySource(mesh, RESCAN);

        source.start(seen::add);

        assertThat(names()).containsExactly("a");
        assertThat(problems()).containsExactly("again: a link that leads back to itself -> left out");
    }

    @Test
    void aBurstIsToldAsFewChanges() throws IOException {
        source.start(seen::add);
        int before = seen.size();

        for (int i = 0; i < 200; i++) {
            write("s%d.yaml".formatted(i), service("s" + i, 1));
        }

        awaitLast(resources -> resources.services().size() == 200);
        assertThat(seen.size() - before).isLessThan(50);
    }

    @Test
    void nothingIsToldWhenNothingChanged() throws Exception {
        write("a.yaml", service("a", 1));
        source.start(seen::add);

        write("a.yaml", service("a", 1));
        write("notes.txt", "changed");
        write("marker.yaml", service("marker", 1));

        awaitLast(resources -> resources.services().size() == 2);
        assertThat(seen).hasSize(2);
    }

    @Test
    void aListenerThatFailsIsCalledAgainForTheNextChange() throws IOException {
        source.start(resources -> {
            seen.add(resources);
            throw new IllegalStateException("thrown on purpose by the test");
        });

        write("a.yaml", service("a", 1));

        awaitLast(resources -> names().equals(List.of("a")));
    }

    @Test
    void closingEndsTheWatching() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        source.start(resources -> {
            seen.add(resources);
            first.countDown();
        });
        assertThat(first.await(1, TimeUnit.SECONDS)).isTrue();

        source.close();

        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("tulle-directory");
        assertThatThrownBy(() -> source.start(seen::add)).isInstanceOf(IllegalStateException.class);
    }

    private Resources afterRestart(Path copies) {
        try (DirectorySource restarted = new DirectorySource(directory, copies)) {
            List<Resources> first = new CopyOnWriteArrayList<>();
            restarted.start(first::add);
            return first.getFirst();
        }
    }

    @Test
    void aFileThatIsBrokenAtARestartKeepsWhatItSaidBefore(@TempDir Path state) throws IOException {
        // Given
        write("a.yaml", service("a", 1));
        write("sub/b.yaml", service("b", 2));
        afterRestart(state.resolve("copies"));
        write("sub/b.yaml", "kind: [broken");
        // When
        Resources resources = afterRestart(state.resolve("copies"));
        // Then
        assertThat(resources.services().stream().map(ServiceResource::name)).containsExactly("a", "b");
        assertThat(resources.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.toString()).contains("sub/b.yaml").contains("last good version");
        });
    }

    @Test
    void aFileThatWasDeletedDoesNotComeBackBroken(@TempDir Path state) throws IOException {
        // Given
        Path file = write("a.yaml", service("a", 1));
        afterRestart(state.resolve("copies"));
        Files.delete(file);
        afterRestart(state.resolve("copies"));
        write("a.yaml", "kind: [broken");
        // When
        Resources resources = afterRestart(state.resolve("copies"));
        // Then
        assertThat(resources.services()).isEmpty();
        assertThat(resources.problems()).hasSize(1);
    }

    @Test
    void copiesThatCannotBeWrittenCostNothingElse(@TempDir Path state) throws IOException {
        // Given
        Path taken = Files.writeString(state.resolve("copies"), "a file where the folder should be");
        write("a.yaml", service("a", 1));
        // When
        Resources resources = afterRestart(taken);
        // Then
        assertThat(resources.services().stream().map(ServiceResource::name)).containsExactly("a");
    }
}
