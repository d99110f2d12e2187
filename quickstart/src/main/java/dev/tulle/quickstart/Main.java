package dev.tulle.quickstart;

import dev.tulle.quickstart.apps.Apps;
import java.util.Arrays;
import java.util.List;

/** One jar for everything the quickstart runs: the first word says whether this is the supervisor or which application. */
public final class Main {
    private Main() {}

    /** {@code run ...} or the name of an application with its options; exit code 2 for anything else. */
    public static void main(String[] arguments) throws Exception {
        List<String> words = Arrays.asList(arguments);
        try {
            if (!words.isEmpty() && words.getFirst().equals("run")) {
                System.exit(Run.run(words.subList(1, words.size())));
            } else {
                Apps.run(words);
            }
        } catch (IllegalArgumentException e) {
            System.err.println("quickstart: " + e.getMessage());
            System.exit(2);
        }
    }
}
