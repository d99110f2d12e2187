package dev.tulle.quickstart.apps;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Starts one application by name; unless in a pod, it lives until its standard input ends, so that nothing outlives who started it. */
public final class Apps {
    public static final Set<String> NAMES = Set.of("web", "catalog", "reviews", "ratings", "stock", "thief", "load");

    /** Pages the load asks for in a second, unless told otherwise. */
    public static final int LOAD_RATE = 30;

    private Apps() {}

    /** Does not return before the application has to end; then ends the process. */
    public static void run(List<String> words) throws IOException, InterruptedException {
        AppArguments arguments = AppArguments.parse(words);
        start(arguments, new Seen());
        System.out.println(arguments.instance() + " is up");
        if (arguments.inPod()) {
            Thread.currentThread().join(); // a signal ends it
        }
        while (System.in.read() >= 0) {
            // Nobody has anything to say here; only the end counts.
        }
        System.exit(0);
    }

    private static void start(AppArguments arguments, Seen seen) throws IOException {
        switch (arguments.app()) {
            case "web" -> Web.start(arguments, seen);
            case "catalog" -> Catalog.start(arguments, seen);
            case "reviews" -> Reviews.start(arguments, seen);
            case "ratings" -> Ratings.start(arguments, seen);
            case "stock" -> Stock.start(arguments, seen);
            case "thief" -> Thief.start(arguments, seen);
            case "load" -> Load.start(arguments, seen);
            default ->
                throw new IllegalArgumentException(
                        "no application is called '%s'; there are %s".formatted(arguments.app(), NAMES));
        }
    }
}
