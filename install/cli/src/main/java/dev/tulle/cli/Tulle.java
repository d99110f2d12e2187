package dev.tulle.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code tulle}; the launcher script {@code install/tulle} starts controller and proxy itself, the rest is here. */
@Command(
        name = "tulle",
        description = "A service mesh whose point is simplicity.",
        synopsisSubcommandLabel = "VERB",
        commandListHeading = "%nVerbs:%n",
        footer = {
            "",
            "'tulle VERB --help' tells more. Exit code: 0 well or yes, 1 something is wrong or no,",
            "2 no answer (wrong usage, or the controller cannot be asked)."
        },
        mixinStandardHelpOptions = true,
        version = "tulle " + Tulle.VERSION,
        subcommands = {
            Tulle.Controller.class,
            Tulle.Token.class,
            Tulle.Proxy.class,
            InjectCommand.class,
            LintCommand.class,
            MigrateCommand.class,
            CheckCommand.class,
            StatCommand.class,
            EdgesCommand.class,
            WhyCommand.class,
            DeniedCommand.class,
            ProxiesCommand.class,
            CaCommand.class
        })
public final class Tulle implements Callable<Integer> {
    static final String VERSION = "0.1.0-SNAPSHOT";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** Ends the process with one of {@link ExitCode}. */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Tulle())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((exception, commandLine, parsed) -> {
                    if (exception instanceof ControllerApi.NoAnswer) {
                        commandLine.getErr().println("tulle: " + exception.getMessage());
                        return ExitCode.NO_ANSWER;
                    }
                    throw exception;
                });
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return ExitCode.NO_ANSWER;
    }

    /** A verb that the launcher script runs as a program of its own; listed here for the help only. */
    abstract static class Launched implements Callable<Integer> {
        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Override
        public Integer call() {
            PrintWriter err = spec.commandLine().getErr();
            err.printf("tulle: '%s' is started by the launcher script: install/tulle %s%n", spec.name(), spec.name());
            return ExitCode.NO_ANSWER;
        }
    }

    @Command(name = "controller", description = "Run the controller: --dir DIR --state-dir DIR.")
    static final class Controller extends Launched {}

    @Command(name = "token", description = "Print a join token for a workload: NAMESPACE/NAME --state-dir DIR.")
    static final class Token extends Launched {}

    @Command(name = "proxy", description = "Run a sidecar: --workload NAMESPACE/NAME --token-file FILE.")
    static final class Proxy extends Launched {}
}
