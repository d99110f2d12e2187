package dev.tulle.conformance.smi;

import dev.tulle.conformance.smi.harness.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The command line, read.
 *
 * @param only names of groups or cases, or {@code published}; empty: all
 * @param output folder of the reports
 * @param parallel how many groups run side by side
 */
record Options(
        Target target,
        String mesh,
        String meshVersion,
        List<String> only,
        Path output,
        int parallel,
        boolean list,
        boolean help) {
    static final String IMAGE = "tulle.test/smi-app:1";
    static final String HELP = """
            Runs the suite of SMI conformance against a cluster with a mesh in it: each check of traffic is a hard one.
            Usage: conformance/smi/run [options]
              --kubeconfig FILE    default: as kubectl: $KUBECONFIG, then ~/.kube/config
              --context NAME       of the kubeconfig
              --label K=V          of the namespaces that are to be in the mesh: what switches injection on; may be repeated
              --annotation K=V     the same
              --tulle              stands for --mesh Tulle and the profile of Tulle: the label tulle.dev/inject=enabled and the annotations
                                   tulle.dev/access=closed tulle.dev/unmeshed=always tulle.dev/same-identity=allow
              --unmeshed           no label and no annotation, and that is meant: every namespace is in the mesh, or none
              --image NAME         of the suite's application; default %s; conformance/smi/build-image makes it
              --mesh NAME          whose results these are, for the report
              --mesh-version V
              --only NAME          a group, a case (group/id or id), or published: the three groups of the published suite; may be repeated
              --output FOLDER      of smi-conformance.json, smi-conformance.md and TEST-smi-conformance.xml; default: conformance/smi/target/report
              --parallel N         groups side by side, 1 to 8; default 3
              --list               names the cases and runs none
              --record             keeps the table of a whole run in conformance/smi/results.md
              --own-cluster        brings our own cluster up (or takes the one that runs), installs Tulle, runs with --tulle and takes it down
            Exit code: 0 all passed, 1 not, 2 wrong usage, 130 ended by Ctrl-C; the reports are written in each of these but 2.
            """.formatted(IMAGE);

    private static final int MOST_PARALLEL = 8;

    /** Says what is wrong with the command line. */
    static final class WrongUsage extends Exception {
        WrongUsage(String message) {
            super(message);
        }
    }

    static Options read(List<String> arguments) throws WrongUsage {
        Deque<String> left = new ArrayDeque<>(arguments);
        Map<String, String> labels = new TreeMap<>();
        Map<String, String> annotations = new TreeMap<>();
        List<String> only = new ArrayList<>();
        @Nullable Path kubeconfig = null;
        @Nullable String context = null;
        String image = IMAGE;
        String mesh = "";
        String meshVersion = "";
        Path output = Path.of("smi-conformance");
        int parallel = 3;
        boolean unmeshed = false;
        boolean list = false;
        boolean help = false;
        while (!left.isEmpty()) {
            String option = left.pop();
            switch (option) {
                case "--kubeconfig" -> kubeconfig = Path.of(value(option, left));
                case "--context" -> context = value(option, left);
                case "--label" -> pair(option, left, labels);
                case "--annotation" -> pair(option, left, annotations);
                case "--tulle" -> {
                    mesh = mesh.isEmpty() ? "Tulle" : mesh;
                    labels.put("tulle.dev/inject", "enabled");
                    annotations.put("tulle.dev/access", "closed");
                    annotations.put("tulle.dev/unmeshed", "always");
                    annotations.put("tulle.dev/same-identity", "allow");
                }
                case "--unmeshed" -> unmeshed = true;
                case "--image" -> image = value(option, left);
                case "--mesh" -> mesh = value(option, left);
                case "--mesh-version" -> meshVersion = value(option, left);
                case "--only" -> only.add(value(option, left));
                case "--output" -> output = Path.of(value(option, left));
                case "--parallel" -> parallel = number(option, value(option, left));
                case "--list" -> list = true;
                case "--help", "-h" -> help = true;
                default -> throw new WrongUsage("unknown argument " + option);
            }
        }
        if (labels.isEmpty() && annotations.isEmpty() && !unmeshed && !list && !help) {
            throw new WrongUsage(
                    "it is not said how a namespace joins the mesh: --label K=V or --annotation K=V does, --tulle stands for what Tulle"
                            + " wants, --unmeshed says that nothing is needed");
        }
        if (kubeconfig != null && !Files.isReadable(kubeconfig)) {
            throw new WrongUsage("--kubeconfig %s: there is no such file".formatted(kubeconfig));
        }
        Target target =
                new Target(Optional.ofNullable(kubeconfig), Optional.ofNullable(context), labels, annotations, image);
        return new Options(target, mesh, meshVersion, List.copyOf(only), output, parallel, list, help);
    }

    private static String value(String option, Deque<String> left) throws WrongUsage {
        if (left.isEmpty() || left.peek().startsWith("--")) {
            throw new WrongUsage(option + " wants a value");
        }
        return left.pop();
    }

    private static void pair(String option, Deque<String> left, Map<String, String> into) throws WrongUsage {
        String pair = value(option, left);
        int equals = pair.indexOf('=');
        if (equals < 1) {
            throw new WrongUsage("%s wants KEY=VALUE, not %s".formatted(option, pair));
        }
        into.put(pair.substring(0, equals), pair.substring(equals + 1));
    }

    private static int number(String option, String text) throws WrongUsage {
        if (!text.matches("\\d") || text.equals("0") || text.equals("9")) {
            throw new WrongUsage("%s wants a number from 1 to %d, not %s".formatted(option, MOST_PARALLEL, text));
        }
        return Integer.parseInt(text);
    }
}
