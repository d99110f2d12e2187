package dev.tulle.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell scripts that everything starts with: the JDK finder and the launcher. */
class ScriptsTest {
    private static final Path TOP = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    private Path temporary;

    @Test
    void keepsAJavaHomeThatIsNewEnough() throws Exception {
        Path chosen = jdk("chosen", "21.0.4");
        Path newer = jdk("newer", "99");

        assertThat(find(Map.of("JAVA_HOME", chosen.toString(), "TULLE_JDK_DIRS", newer.toString())))
                .isEqualTo(new Ran(0, chosen + "\n" + chosen.resolve("bin/java") + "\n"));
    }

    @Test
    void takesTheNewestJdkWhenJavaHomeIsTooOld() throws Exception {
        Path old = jdk("old", "17.0.15");
        Path newer = jdk("newer", "25.0.1");
        Path between = jdk("between", "21");
        Path runtimeOnly = jdk("runtime-only", "99");
        Files.delete(runtimeOnly.resolve("bin/javac"));

        assertThat(find(Map.of(
                        "JAVA_HOME",
                        old.toString(),
                        "TULLE_JDK_DIRS",
                        between + " " + newer + " " + runtimeOnly + " " + old)))
                .isEqualTo(new Ran(0, newer + "\n" + newer.resolve("bin/java") + "\n"));
    }

    @Test
    void saysInOneLineWhatToInstallWhenThereIsNone() throws Exception {
        Ran ran = find(Map.of("JAVA_HOME", "/nonexistent", "TULLE_JDK_DIRS", "/nonexistent"));

        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out().lines()).hasSize(1);
        assertThat(ran.out()).contains("no JDK of level 21 or newer", "install", "JAVA_HOME");
    }

    @Test
    void everyScriptSaysItWhenThereIsNoJdk() throws Exception {
        for (String script : List.of("mvnw", "install/tulle", "quickstart/run")) {
            Ran ran = run(
                    Map.of("JAVA_HOME", "/nonexistent", "TULLE_JDK_DIRS", "/nonexistent"), TOP.resolve(script) + " x");

            assertThat(ran.exitCode()).as(script).isEqualTo(1);
            assertThat(ran.out().lines()).as(script).hasSize(1);
            assertThat(ran.out()).as(script).contains("no JDK of level 21 or newer");
        }
    }

    @Test
    void launcherRunsEachProgramOfAnUnpackedDistribution() throws Exception {
        Path dist = Files.createDirectories(temporary.resolve("my dist"));
        Path lib = Files.createDirectories(dist.resolve("lib/tulle/controller"));
        Files.createDirectories(dist.resolve("bin"));
        Files.copy(TOP.resolve(".mvn/jdk.sh"), dist.resolve("lib/tulle/jdk.sh"));
        Files.copy(TOP.resolve("proxy/sidecar/jvm.options"), dist.resolve("lib/tulle/jvm.options"));
        Files.copy(TOP.resolve("install/tulle"), dist.resolve("bin/tulle"));
        Files.createSymbolicLink(temporary.resolve("kubectl-tulle"), dist.resolve("bin/tulle"));
        for (String jar : List.of("controller/quarkus-run.jar", "tulle-sidecar.jar", "tulle-cli.jar")) {
            Files.createFile(dist.resolve("lib/tulle").resolve(jar));
        }
        Map<String, String> environment = Map.of(
                "JAVA_HOME", jdk("fake", "25").toString(), "TULLE_JAVA_OPTS", "-Dx=1 -Dy=2", "TULLE_TMPDIR", "/a b");
        String launcher = "'" + temporary.resolve("kubectl-tulle") + "'";

        assertThat(run(environment, launcher + " controller --dir 'a b'").out())
                .contains(
                        lib.resolve("quarkus-run.jar") + "\n--dir\na b\n",
                        "\n-Dx=1\n-Dy=2\n",
                        "\n-Djava.io.tmpdir=/a b\n");
        assertThat(run(environment, launcher + " token shop/web-1").out())
                .contains(lib.resolve("quarkus-run.jar") + "\ntoken\nshop/web-1\n");
        assertThat(run(environment, launcher + " proxy --workload shop/web-1").out())
                .contains("tulle-sidecar.jar\n--workload\nshop/web-1\n")
                .contains("@" + dist.resolve("lib/tulle/jvm.options"), "\n-Dx=1\n-Dy=2\n");
        assertThat(run(environment, launcher + " check").out()).contains("tulle-cli.jar\ncheck\n");

        Map<String, String> older = Map.of("JAVA_HOME", jdk("older", "21.0.2").toString());
        assertThat(run(older, launcher + " proxy").out()).doesNotContain("--sun-misc-unsafe-memory-access");

        Files.delete(dist.resolve("lib/tulle/tulle-sidecar.jar"));
        Ran missing = run(environment, launcher + " proxy");
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.out()).contains("tulle-sidecar.jar is not there: build it");
    }

    private record Ran(int exitCode, String out) {}

    private static Ran find(Map<String, String> environment) throws Exception {
        return run(environment, ". " + TOP.resolve(".mvn/jdk.sh") + " && echo \"$JAVA_HOME\" && command -v java");
    }

    private static Ran run(Map<String, String> environment, String command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("/bin/bash", "-c", command).redirectErrorStream(true);
        builder.environment().remove("JAVA_HOME");
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), out);
    }

    /** Something that looks like a JDK; its {@code java} prints what it was given, one word a line. */
    private Path jdk(String name, String version) throws IOException {
        Path home = temporary.resolve(name);
        Path bin = Files.createDirectories(home.resolve("bin"));
        for (String program : List.of("java", "javac")) {
            Files.writeString(bin.resolve(program), "#!/bin/sh\nfor word; do echo \"$word\"; done\n");
            Files.setPosixFilePermissions(bin.resolve(program), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }
}
