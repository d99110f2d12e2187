package dev.tulle.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkFolderTest {
    @TempDir
    private Path temporary;

    @Test
    void startsAfreshUnlessToldToKeep() throws Exception {
        Path mesh = Files.createDirectories(temporary.resolve("from"));
        Files.writeString(mesh.resolve("a.yaml"), "listen: 15830\n");
        Path root = temporary.resolve("work");
        try (WorkFolder folder = WorkFolder.take(root, false)) {
            folder.copyMesh(mesh, new Ports(20_000));
            assertThat(folder.mesh().resolve("a.yaml")).hasContent("listen: 20030");
            Files.writeString(folder.mesh().resolve("a.yaml"), "edited");
            Files.writeString(folder.state().resolve("authority"), "secret");
        }
        try (WorkFolder folder = WorkFolder.take(root, true)) {
            folder.copyMesh(mesh, new Ports(20_000));
            assertThat(folder.mesh().resolve("a.yaml")).hasContent("edited");
            assertThat(folder.state().resolve("authority")).exists();
        }
        try (WorkFolder folder = WorkFolder.take(root, false)) {
            folder.copyMesh(mesh, new Ports(20_000));
            assertThat(folder.mesh().resolve("a.yaml")).hasContent("listen: 20030");
            assertThat(folder.state()).isEmptyDirectory();
            folder.remove();
        }
        assertThat(root).doesNotExist();
    }

    @Test
    void belongsToOneSupervisorAtATime() throws Exception {
        Path root = temporary.resolve("work");
        try (WorkFolder folder = WorkFolder.take(root, false)) {
            Process other = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Taker.class.getName(),
                            folder.root().toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(other.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);

            assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(said).contains("a quickstart runs in " + root + " already");
        }
    }

    /** Tries to take a folder, as another supervisor would. */
    static final class Taker {
        private Taker() {}

        public static void main(String[] arguments) throws Exception {
            try (WorkFolder folder = WorkFolder.take(Path.of(arguments[0]), false)) {
                System.out.println("took " + folder.root());
            } catch (WorkFolder.InUse e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
