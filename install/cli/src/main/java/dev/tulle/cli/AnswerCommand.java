package dev.tulle.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A verb that asks one path of the API and shows the answer. */
abstract class AnswerCommand implements Callable<Integer> {
    @Mixin
    private final ServerOptions options = new ServerOptions();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** What to ask, with its query. */
    abstract String path();

    /** Writes {@code answer} for people. */
    abstract void show(JsonNode answer, PrintWriter out);

    /** The exit code that goes with {@code answer}. */
    int exitCode(JsonNode answer) {
        return ExitCode.YES;
    }

    @Override
    public final Integer call() throws ControllerApi.NoAnswer {
        JsonNode answer;
        try (ControllerApi api = options.api()) {
            answer = api.get(path());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(ServerOptions.pretty(answer));
        } else {
            show(answer, out);
        }
        out.flush();
        return exitCode(answer);
    }
}
