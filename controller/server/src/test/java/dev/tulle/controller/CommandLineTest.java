package dev.tulle.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CommandLineTest {
    @Test
    void runsWithItsDefaults() {
        assertThat(CommandLine.parse("--dir", "mesh", "--state-dir=state"))
                .isEqualTo(new CommandLine.Run(
                        new CommandLine.Objects.InDirectory(Path.of("mesh"), Path.of("state")),
                        new HostPort("127.0.0.1", 15800),
                        new HostPort("127.0.0.1", 15880),
                        Optional.empty(),
                        Duration.ofHours(24)));
    }

    @Test
    void takesEveryOption() {
        assertThat(CommandLine.parse(
                        "--dir",
                        "mesh",
                        "--state-dir",
                        "state",
                        "--listen",
                        "[::1]:1",
                        "--http",
                        "0.0.0.0:0",
                        "--trust-domain",
                        "mesh.example",
                        "--leaf-ttl",
                        "90m"))
                .isEqualTo(new CommandLine.Run(
                        new CommandLine.Objects.InDirectory(Path.of("mesh"), Path.of("state")),
                        new HostPort("::1", 1),
                        new HostPort("0.0.0.0", 0),
                        Optional.of("mesh.example"),
                        Duration.ofMinutes(90)));
    }

    @Test
    void readsTheClusterItRunsInWhenAsked() {
        assertThat(CommandLine.parse("--kubernetes", "--admin", "0.0.0.0:1", "--webhook=[::]:2"))
                .isEqualTo(new CommandLine.Run(
                        new CommandLine.Objects.InKubernetes(new HostPort("0.0.0.0", 1), new HostPort("::", 2)),
                        new HostPort("127.0.0.1", 15800),
                        new HostPort("127.0.0.1", 15880),
                        Optional.empty(),
                        Duration.ofHours(24)));
    }

    @Test
    void refusesToMixTheClusterWithDirectories() {
        assertThat(CommandLine.parse("--kubernetes", "--dir", "mesh"))
                .isInstanceOfSatisfying(
                        CommandLine.Wrong.class,
                        wrong -> assertThat(wrong.error())
                                .startsWith("unknown option --dir with --kubernetes; known are "));
        assertThat(CommandLine.parse("--dir", "mesh", "--state-dir", "state", "--admin", "0.0.0.0:1"))
                .isInstanceOfSatisfying(
                        CommandLine.Wrong.class,
                        wrong -> assertThat(wrong.error()).startsWith("unknown option --admin; known are "));
        assertThat(CommandLine.parse("--kubernetes", "--kubernetes"))
                .isEqualTo(new CommandLine.Wrong("--kubernetes is given twice"));
    }

    @Test
    void makesTokens() {
        assertThat(CommandLine.parse("token", "shop/web-1", "--state-dir", "state", "--ttl", "2d"))
                .isEqualTo(new CommandLine.Token(
                        new WorkloadId("shop", "web-1"), Path.of("state"), Optional.empty(), Duration.ofDays(2)));
    }

    @Test
    void helpsWhereverItIsAsked() {
        assertThat(CommandLine.parse("--dir", "x", "--help")).isEqualTo(new CommandLine.Help());
        assertThat(CommandLine.parse("-h")).isEqualTo(new CommandLine.Help());
    }

    @Test
    void saysWhatIsWrong() {
        assertWrong("--dir is missing");
        assertWrong("--state-dir is missing", "--dir", "x");
        assertWrong("--dir needs a value", "--dir");
        assertWrong("--dir needs a value", "--dir=");
        assertWrong("--dir is given twice", "--dir", "a", "--dir", "b");
        assertWrong("unknown option --ttl; known are", "--dir", "a", "--state-dir", "b", "--ttl", "1h");
        assertWrong("--listen: not address:port: 'nope'", "--dir", "a", "--state-dir", "b", "--listen", "nope");
        assertWrong("not a trust domain: 'A_B'", "--dir", "a", "--state-dir", "b", "--trust-domain", "A_B");
        assertWrong("--leaf-ttl: not a time: 'soon'", "--dir", "a", "--state-dir", "b", "--leaf-ttl", "soon");
        assertWrong("--leaf-ttl: 31d is not between 1m and 30d", "--dir", "a", "--state-dir", "b", "--leaf-ttl", "31d");
        assertWrong("unknown command 'tokne'", "tokne");
        assertWrong("token needs a workload", "token", "--state-dir", "b");
        assertWrong("unexpected 'y'", "token", "x", "y", "--state-dir", "b");
        assertWrong("not a workload: 'a/b/c'", "token", "a/b/c", "--state-dir", "b");
        assertWrong("unknown option --dir of 'token'", "token", "x", "--dir", "b");
    }

    @Test
    void itsUsageNamesEveryOption() {
        assertThat(CommandLine.USAGE)
                .contains("--dir", "--state-dir", "--listen", "--http", "--trust-domain", "--leaf-ttl", "--ttl");
    }

    private static void assertWrong(String because, String... arguments) {
        assertThat(CommandLine.parse(arguments))
                .isInstanceOfSatisfying(
                        CommandLine.Wrong.class,
                        wrong -> assertThat(wrong.error()).contains(because));
    }
}
