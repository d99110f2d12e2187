package dev.tulle.controller;

import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.controller.identity.JoinTokens;
import dev.tulle.controller.identity.StateDirectory;
import dev.tulle.controller.identity.UnusableState;
import dev.tulle.proxy.model.HostPort;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where the program begins: reads the command line, prints a join token, or runs the controller. */
@QuarkusMain
public final class Main {
    static final int OK = 0;
    static final int CANNOT_START = 1;
    static final int WRONG_USAGE = 2;

    private Main() {}

    @SuppressWarnings("SystemOut") // Answers of a command belong on the standard streams.
    public static void main(String... arguments) {
        switch (CommandLine.parse(arguments)) {
            case CommandLine.Help() -> System.out.print(CommandLine.USAGE);
            case CommandLine.Wrong(String error) -> {
                System.err.println("tulle controller: " + error + " (--help shows the usage)");
                System.exit(WRONG_USAGE);
            }
            case CommandLine.Token token -> {
                int code = printToken(token);
                if (code != OK) {
                    System.exit(code);
                }
            }
            case CommandLine.Run run -> run(run, arguments);
        }
    }

    @SuppressWarnings("SystemOut")
    private static int printToken(CommandLine.Token token) {
        Clock clock = Clock.systemUTC();
        try {
            CertificateAuthority authority = CertificateAuthority.open(
                    new StateDirectory(token.stateDir()),
                    token.trustDomain(),
                    clock,
                    CertificateAuthority.DEFAULT_LEAF_LIFE);
            System.out.println(JoinTokens.issue(
                    authority.state(), token.workload(), clock.instant().plus(token.life())));
            return OK;
        } catch (UnusableState e) {
            return cannotStart(String.valueOf(e.getMessage()));
        }
    }

    private static void run(CommandLine.Run run, String... arguments) {
        Stream<Optional<String>> more = switch (run.objects()) {
            case CommandLine.Objects.InDirectory(Path dir, Path stateDir) ->
                Stream.of(
                        Files.isDirectory(dir)
                                ? Optional.empty()
                                : Optional.of("--dir %s is not a directory".formatted(dir)));
            case CommandLine.Objects.InKubernetes(HostPort admin, HostPort webhook) ->
                Stream.of(Ports.obstacle(admin, "--admin"), Ports.obstacle(webhook, "--webhook"));
        };
        Optional<String> obstacle = Stream.concat(
                        more, Stream.of(Ports.obstacle(run.listen(), "--listen"), Ports.obstacle(run.http(), "--http")))
                .flatMap(Optional::stream)
                .findFirst();
        if (obstacle.isPresent()) {
            System.exit(cannotStart(obstacle.get()));
        }
        System.setProperty("quarkus.http.host", run.http().host());
        System.setProperty("quarkus.http.port", String.valueOf(run.http().port()));
        Quarkus.run(ControllerApplication.class, Main::ended, arguments);
    }

    private static void ended(int code, @Nullable Throwable failure) {
        if (failure != null) {
            System.exit(cannotStart(String.join(": ", causes(failure))));
        }
        System.exit(code);
    }

    private static List<String> causes(Throwable failure) {
        return Stream.<Throwable>iterate(failure, cause -> cause != null, Throwable::getCause)
                .map(cause -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage())
                .distinct()
                .toList();
    }

    /** Says why in one line. */
    @SuppressWarnings("SystemOut")
    static int cannotStart(String why) {
        System.err.println("tulle controller: " + why.lines().findFirst().orElse(""));
        return CANNOT_START;
    }
}
