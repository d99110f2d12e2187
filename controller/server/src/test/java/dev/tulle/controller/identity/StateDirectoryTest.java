package dev.tulle.controller.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.Authorities.HandClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateDirectoryTest {
    private final HandClock clock = HandClock.atNow();

    @TempDir
    Path temporary;

    private Path directory;

    @BeforeEach
    void name() {
        directory = temporary.resolve("deep/state");
    }

    @Test
    void keepsEverythingToItsOwner() throws Exception {
        Authorities.open(directory, clock);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                .isEqualTo("rwx------");
        try (var files = Files.list(directory)) {
            assertThat(files.toList())
                    .isNotEmpty()
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------"));
        }
    }

    @Test
    void tightensWhatWasLoosened() throws Exception {
        Authorities.open(directory, clock);
        Path file = directory.resolve(StateDirectory.AUTHORITY);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        Authorities.open(directory, clock);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void refusesADamagedFileAndSaysTheCure() throws Exception {
        Authorities.open(directory, clock);
        Path file = directory.resolve(StateDirectory.AUTHORITY);
        String good = Files.readString(file);
        List<String> damaged = List.of(
                good.substring(0, good.length() / 2),
                good.replace("\"generation\" : 0", "\"generation\" : 9"),
                "",
                "hello",
                "tulle-authority 1 sha256=00\n{}",
                "x".repeat(2 << 20));
        for (String text : damaged) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> Authorities.open(directory, clock))
                    .isInstanceOf(UnusableState.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("damaged")
                    .hasMessageContaining("Restore it from a backup")
                    .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("\n"));
            assertThat(Files.readString(file)).isEqualTo(text);
        }
    }

    @Test
    void saysWhenTheFormatIsOfANewerProgram() throws Exception {
        Authorities.open(directory, clock);
        Path file = directory.resolve(StateDirectory.AUTHORITY);
        Files.writeString(file, Files.readString(file).replaceFirst("tulle-authority 1 ", "tulle-authority 2 "));
        assertThatThrownBy(() -> Authorities.open(directory, clock))
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("format '2'");
    }

    @Test
    void saysWhichPathCannotBeWritten() throws Exception {
        Files.writeString(temporary.resolve("file"), "in the way");
        Path under = temporary.resolve("file/state");
        assertThatThrownBy(() -> Authorities.open(under, clock))
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("cannot")
                .hasMessageContaining(temporary.resolve("file").toString())
                .hasMessageContaining("--state-dir");
    }

    @Test
    void keepsTheOldStateWhenTheNewOneCannotBeWritten() throws Exception {
        // Given an authority whose next write must fail: where it writes aside there is a directory that is not empty
        CertificateAuthority authority = Authorities.open(directory, clock);
        authority.maintain(1, false);
        AuthorityState before = authority.state();
        Path aside = directory.resolve(StateDirectory.AUTHORITY + ".new");
        Files.createDirectories(aside.resolve("full"));
        // When
        assertThatThrownBy(() -> authority.maintain(2, false))
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("cannot write");
        // Then nothing has changed, and it goes on signing
        assertThat(authority.state()).isEqualTo(before);
        assertThat(Authorities.open(directory, clock).state()).isEqualTo(before);
        assertThat(authority.sign(Authorities.ecKeys().getPublic(), Authorities.WEB))
                .hasSize(2);
        // When there is room again
        Files.delete(aside.resolve("full"));
        assertThat(authority.maintain(2, false)).isTrue();
        // Then it goes on
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
    }

    @Test
    void oneOfSeveralThatStartAtOnceMakesTheRoot() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<AuthorityState>> states = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                states.add(
                        threads.submit(() -> Authorities.open(directory, clock).state()));
            }
            AuthorityState first = states.getFirst().get(30, TimeUnit.SECONDS);
            for (Future<AuthorityState> state : states) {
                assertThat(state.get(30, TimeUnit.SECONDS)).isEqualTo(first);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void letsOneControllerInAtATime() throws Exception {
        StateDirectory state = new StateDirectory(directory);
        try (StateDirectory.Held held = state.holdForController()) {
            assertThat(held).isNotNull();
            assertThatThrownBy(state::holdForController)
                    .isInstanceOf(UnusableState.class)
                    .hasMessageContaining("process " + ProcessHandle.current().pid())
                    .hasMessageContaining(directory.toString());
        }
        state.holdForController().close();
    }
}
