package dev.tulle.proxy;

import dev.tulle.proxy.bootstrap.CommandLine;
import dev.tulle.proxy.bootstrap.CommandLine.Wish;
import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Log;
import dev.tulle.proxy.bootstrap.ProxyVersion;
import dev.tulle.proxy.bootstrap.Settings;
import dev.tulle.proxy.bootstrap.Transport;
import dev.tulle.proxy.redirect.RedirectMain;
import dev.tulle.proxy.rehearsal.Rehearsal;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** Starts the sidecar proxy and lives until a signal ends it. */
public final class Main {
    private static final int COULD_NOT_START = 1;
    private static final int WRONG_USAGE = 2;

    private Main() {}

    /** Exit codes: 0 ended as asked, 1 could not start, 2 wrong usage. */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("redirect")) {
            RedirectMain.main(Arrays.copyOfRange(args, 1, args.length));
            return;
        }
        Wish wish = CommandLine.read(
                List.of(args), System.getenv(), Runtime.getRuntime().availableProcessors());
        switch (wish) {
            case Wish.Help() -> System.out.print(CommandLine.help());
            case Wish.Version() -> System.out.println("tulle-sidecar " + ProxyVersion.text());
            case Wish.Wrong(String problem) -> {
                System.err.println("tulle-sidecar: " + problem);
                System.exit(WRONG_USAGE);
            }
            case Wish.Rehearse(Duration length) ->
                System.out.println("tulle-sidecar: rehearsed %d exchanges"
                        .formatted(Rehearsal.run(Transport.best(), Limits.defaults(), length)));
            case Wish.Run(Settings settings) -> run(settings);
        }
    }

    private static void run(Settings settings) {
        Limits limits = Limits.defaults();
        Log log = new Log(System.err, settings.logLevel(), limits.control().maxLogLineChars(), Clock.systemUTC());
        log.takeOverLibraries();
        try {
            Sidecar sidecar = Sidecar.start(settings, limits, log);
            // SIGTERM, Ctrl-C and POST /shutdown all come here; without the halt the JVM would end with 143, which
            // looks like a failure.
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(
                            () -> {
                                sidecar.drain();
                                Runtime.getRuntime().halt(0);
                            },
                            "tulle-drain"));
        } catch (StartFailure e) {
            log.error("could not start", "problem", e.problem());
            System.err.println("tulle-sidecar: " + e.problem());
            System.exit(COULD_NOT_START);
        }
    }
}
