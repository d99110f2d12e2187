package dev.tulle.proxy.redirect;

import java.io.PrintStream;
import java.util.List;

/** The redirect step as a program: {@code tulle-proxy redirect}, run once in a pod's network namespace before its containers. */
public final class RedirectMain {
    private static final int NOT_POSSIBLE = 1;
    private static final int WRONG_USAGE = 2;

    private RedirectMain() {}

    public static void main(String[] args) {
        int code = run(List.of(args), System.out, System.err);
        if (code != 0) {
            System.exit(code);
        }
    }

    /** Exit codes: 0 done, 1 not possible, 2 wrong usage. */
    static int run(List<String> args, PrintStream out, PrintStream err) {
        if (args.contains("--help") || args.contains("-h")) {
            out.print(RedirectOptions.HELP);
            return 0;
        }
        RedirectOptions options;
        try {
            options = RedirectOptions.read(args);
        } catch (IllegalArgumentException e) {
            err.println("tulle-proxy redirect: " + e.getMessage());
            return WRONG_USAGE;
        }
        if (options.dryRun()) {
            for (Family family : Family.values()) {
                out.println("# " + family.title() + ": " + family.tool() + "-restore --noflush");
                out.print(RedirectRules.text(options, family, ""));
            }
            return 0;
        }
        try {
            new RedirectStep(options, Reach.ofThisMachine()).run().forEach(out::println);
            return 0;
        } catch (RedirectStep.Failure e) {
            err.println("tulle-proxy redirect: " + e.problem());
        }
        return NOT_POSSIBLE;
    }
}
