package dev.tulle.proxy.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.CommandLine.Wish;
import dev.tulle.proxy.model.HostPort;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandLineTest {
    @Test
    void readsFlagsInBothForms() {
        Settings settings = settings(
                "--controller",
                "mesh.example:15800",
                "--token-file=/t",
                "--workload",
                "shop/web-1",
                "--admin=off",
                "--admin-local",
                "[::1]:0",
                "--log-level",
                "debug",
                "--concurrency",
                "3",
                "--drain-delay",
                "0s",
                "--drain-timeout",
                "1500ms",
                "--identity-dir",
                "/i");

        assertThat(settings)
                .isEqualTo(new Settings(
                        Optional.of(new WorkloadId("shop", "web-1")),
                        new Settings.Source.Controller(
                                new HostPort("mesh.example", 15800), Optional.of(Path.of("/t")), Optional.empty()),
                        Optional.empty(),
                        Optional.of(Path.of("/i")),
                        Optional.empty(),
                        Optional.of(new HostPort("::1", 0)),
                        Optional.empty(),
                        "",
                        Set.of(),
                        Log.Level.DEBUG,
                        3,
                        Duration.ZERO,
                        Duration.ofMillis(1500)));
    }

    @Test
    void speaksTheDialectsOfMetricsThatAreNamed() {
        assertThat(settings("--config", "/c.json").dialects()).isEmpty();
        assertThat(settings("--config", "/c.json", "--metrics", "osm").dialects())
                .containsExactly(Settings.Dialect.OSM);
        assertThat(settings("--config", "/c.json", "--metrics=linkerd, osm").dialects())
                .containsExactlyInAnyOrder(Settings.Dialect.LINKERD, Settings.Dialect.OSM);
        assertThat(CommandLine.read(List.of("--config=/c.json", "--metrics=istio"), Map.of(), 2))
                .isEqualTo(new CommandLine.Wish.Wrong("--metrics: 'istio' is neither linkerd nor osm; expected NAMES"));
    }

    @Test
    void hasDefaultsThatListenOnLoopbackOnly() {
        Settings settings = settings("--config", "/c.json");

        assertThat(settings.source()).isEqualTo(new Settings.Source.ConfigFile(Path.of("/c.json")));
        assertThat(settings.admin()).contains(new HostPort("127.0.0.1", 15890));
        assertThat(settings.adminLocal()).contains(new HostPort("127.0.0.1", 15891));
        assertThat(settings.concurrency()).isEqualTo(2);
        assertThat(settings.drainTimeout()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void readsWhatTheInjectorGivesAPod() {
        Settings settings = settings(
                "--redirected",
                "--controller=tulle-controller.tulle-system.svc:15800",
                "--workload=shop/web-7d4-x",
                "--token-file=/token",
                "--trust-file=/trust.json",
                "--admin=10.244.0.7:15890");

        assertThat(settings.redirected()).contains(new Settings.Redirected(15806, 15801));
        assertThat(settings.source())
                .isEqualTo(new Settings.Source.Controller(
                        new HostPort("tulle-controller.tulle-system.svc", 15800),
                        Optional.of(Path.of("/token")),
                        Optional.of(Path.of("/trust.json"))));
        assertThat(settings.admin()).contains(new HostPort("10.244.0.7", 15890));
    }

    @Test
    void takesTwoOfTheManyProcessorsThatAPodSees() {
        assertThat(settings(64, "--config=a", "--redirected").concurrency()).isEqualTo(2);
        assertThat(settings(64, "--config=a", "--redirected", "--concurrency=4").concurrency())
                .isEqualTo(4);
        assertThat(settings(1, "--config=a", "--redirected").concurrency()).isEqualTo(1);
        assertThat(settings(64, "--config=a").concurrency()).isEqualTo(64);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({":15890, ::", "fd00::7:15890, fd00::7", "[fd00::7]:15890, fd00::7", "[10.0.0.7]:15890, 10.0.0.7"})
    void takesAPodsAddressOfEitherFamilyForTheAdminPort(String given, String host) {
        assertThat(settings("--config=a", "--admin=" + given).admin()).contains(new HostPort(host, 15890));
    }

    @Test
    void readsVariablesAndLetsFlagsWin() {
        Wish wish = CommandLine.read(
                List.of("--log-level", "warn"),
                Map.of("TULLE_CONFIG", "/c.json", "TULLE_LOG_LEVEL", "debug", "TULLE_ADMIN", ""),
                1);

        Settings settings = ((Wish.Run) wish).settings();
        assertThat(settings.logLevel()).isEqualTo(Log.Level.WARN);
        assertThat(settings.source()).isEqualTo(new Settings.Source.ConfigFile(Path.of("/c.json")));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --nonsense x                                   | '--nonsense' is not a flag
            stray                                          | 'stray' is not a flag
            --config                                       | --config needs a value
            --config a --config b                          | --config is given twice
            --config a --controller b:1 --token-file t     | exclude each other
            --config a --token-file t                      | --token-file belongs to --controller
            --log-level info                               | where does the config come from
            --controller b:1                               | needs --token-file
            --controller b --token-file t                  | --controller: not address:port: 'b'; expected HOST:PORT
            --controller b:99999 --token-file t            | --controller: port of b is 99999
            --config a --admin-local 0.0.0.0:1             | not a loopback address
            --config a --admin-local example.com:1         | not a loopback address
            --config a --concurrency two                   | --concurrency: not a whole number: 'two'
            --config a --concurrency 0                     | --concurrency is 0
            --config a --drain-timeout 30                  | not a time like 500ms, 30s or 2m: '30'
            --config a --log-level loud                    | 'loud' is not one of debug, info, warn, error
            --config a --redirected yes                    | 'yes' is not a flag
            --config a --redirected=yes                    | --redirected: 'yes' is neither true nor false
            --config a --inbound-port 1                    | --inbound-port belongs to --redirected
            --config a --redirected --outbound-port 70000  | --outbound-port: 70000 is no port
            --config a --trust-file t                      | --trust-file belongs to --controller
            --controller b:1 --token-file t --trust-file u | --trust-file needs --token-file FILE and --workload
            --config a --workload /x                       | not a workload: '/x'
            """)
    void namesTheFlagAndTheCure(String args, String problem) {
        Wish wish = CommandLine.read(List.of(args.split(" ")), Map.of(), 2);

        assertThat(wish).isInstanceOf(Wish.Wrong.class);
        assertThat(((Wish.Wrong) wish).problem()).contains(problem);
    }

    @Test
    void helpNamesEveryFlagAndEveryLineFitsAScreen() {
        assertThat(CommandLine.read(List.of("--config", "x", "--help"), Map.of(), 1))
                .isEqualTo(new Wish.Help());
        assertThat(CommandLine.read(List.of("--version"), Map.of(), 1)).isEqualTo(new Wish.Version());
        assertThat(CommandLine.help())
                .contains("--workload", "--controller", "--token-file", "--config", "--identity-dir", "--admin-local")
                .contains("Exit codes: 0")
                .satisfies(help -> assertThat(help.lines())
                        .allSatisfy(line -> assertThat(line).hasSizeLessThan(130)));
    }

    private static Settings settings(String... args) {
        return settings(2, args);
    }

    private static Settings settings(int processors, String... args) {
        Wish wish = CommandLine.read(List.of(args), Map.of(), processors);
        assertThat(wish).isInstanceOf(Wish.Run.class);
        return ((Wish.Run) wish).settings();
    }
}
