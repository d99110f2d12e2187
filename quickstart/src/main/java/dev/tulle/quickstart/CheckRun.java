package dev.tulle.quickstart;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** {@code quickstart/run --check}: a mesh of its own on free ports, the tour walked by a program, one line a step. */
final class CheckRun {
    private static final int LOWEST_BASE = 20_000;
    private static final int BASES = 100;
    private static final int TRIES = 50;

    private CheckRun() {}

    static int run(Run.Options options) throws IOException, InterruptedException, WorkFolder.InUse {
        Ports ports = options.portBase() == 0 ? freePorts() : new Ports(options.portBase());
        Optional<String> complaint = PortOwners.complaint(ports.all());
        if (complaint.isPresent()) {
            System.err.println("quickstart: " + complaint.get());
            return 1;
        }
        Path root = options.work().orElse(options.top().resolve("quickstart/.tulle/check-" + ports.base()));
        WorkFolder folder = WorkFolder.take(root, false);
        folder.copyMesh(options.top().resolve("quickstart/mesh"), ports);
        Tally tally = new Tally(System.out);
        LivingMesh mesh = new LivingMesh(
                options.top(),
                folder,
                ports,
                ended -> tally.note("%s ended by itself (exit code %d)".formatted(ended.name(), ended.exitCode())));
        Runtime.getRuntime().addShutdownHook(new Thread(mesh::close));
        try (CheckSteps steps = new CheckSteps(mesh, folder)) {
            for (Step step : steps.inOrder()) {
                if (!tally.run(step)) {
                    break;
                }
            }
        }
        if (tally.failed == 0) {
            folder.remove();
        } else {
            System.out.printf("what was there: %s (logs/ has the output of each process)%n", folder.root());
        }
        System.out.printf("%d passed, %d failed%n", tally.passed, tally.failed);
        return tally.failed == 0 ? 0 : 1;
    }

    private static Ports freePorts() {
        for (int tries = 0; tries < TRIES; tries++) {
            Ports ports =
                    new Ports(LOWEST_BASE + 100 * ThreadLocalRandom.current().nextInt(BASES));
            if (ports.all().keySet().stream().allMatch(PortOwners::isFree) && PortOwners.isFree(ports.relay())) {
                return ports;
            }
        }
        throw new IllegalArgumentException("no hundred free ports between %d and %d: name some with --port-base"
                .formatted(LOWEST_BASE, LOWEST_BASE + 100 * BASES));
    }

    /**
     * One step of the tour.
     *
     * @param needed whether the steps after it make no sense without it
     */
    record Step(String name, boolean needed, Body body) {}

    /** What a step does; returns a remark for its line, or empty. */
    interface Body {
        String walk() throws Exception;
    }

    /** Something does not show what it should. */
    static final class Unexpected extends Exception {
        Unexpected(String message) {
            super(message);
        }
    }

    /** Counts and prints. */
    private static final class Tally {
        private final PrintStream out;
        private final String tick;
        private final String cross;
        private int passed;
        private int failed;

        Tally(PrintStream out) {
            this.out = out;
            boolean plain = !out.charset().equals(StandardCharsets.UTF_8)
                    || Charset.defaultCharset().equals(StandardCharsets.US_ASCII);
            tick = plain ? "ok    " : "\u2714";
            cross = plain ? "FAILED" : "\u2718";
        }

        void note(String text) {
            out.println("  ! " + text);
        }

        /** Whether to go on. */
        boolean run(Step step) {
            long start = System.nanoTime();
            String remark;
            boolean good;
            try {
                remark = step.body().walk();
                good = true;
            } catch (Unexpected | LivingMesh.NotStarted e) {
                remark = String.valueOf(e.getMessage());
                good = false;
            } catch (Exception e) {
                remark = e.toString();
                good = false;
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            if (good) {
                passed++;
                out.printf("%s %s (%.1f s%s)%n", tick, step.name(), seconds, remark.isEmpty() ? "" : "; " + remark);
            } else {
                failed++;
                out.printf("%s %s (%.1f s)%n    %s%n", cross, step.name(), seconds, remark);
            }
            out.flush();
            return good || !step.needed();
        }
    }
}
