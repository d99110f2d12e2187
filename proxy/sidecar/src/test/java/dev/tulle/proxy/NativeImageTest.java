package dev.tulle.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The native proxy that profile {@code native} leaves in the target folder; skipped where there is none. */
@Timeout(120)
class NativeImageTest {
    private static final Path IMAGE = Path.of("target", "tulle-sidecar");

    @BeforeEach
    void skipWithoutAnImage() {
        assumeTrue(Files.isExecutable(IMAGE), "SKIPPED: no native image");
    }

    @Test
    void saysItsVersion() throws Exception {
        assertThat(run("--version")).startsWith("tulle-sidecar ");
    }

    @Test
    void carriesHttpAndOpaqueBytesOverBoringSslBetweenTwoOfItself() throws Exception {
        assertThat(run("--rehearse", "3s")).containsPattern("rehearsed [1-9][0-9]* exchanges");
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        String[] command = new String[arguments.length + 1];
        command[0] = IMAGE.toAbsolutePath().toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }
}
