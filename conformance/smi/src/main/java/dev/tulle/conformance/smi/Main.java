package dev.tulle.conformance.smi;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import dev.tulle.conformance.smi.harness.CaseRunner;
import dev.tulle.conformance.smi.harness.Cluster;
import dev.tulle.conformance.smi.harness.Presence;
import dev.tulle.conformance.smi.report.CaseResult;
import dev.tulle.conformance.smi.report.Reports;
import dev.tulle.conformance.smi.report.Result;
import dev.tulle.conformance.smi.report.RunReport;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** {@code conformance/smi/run}: chooses cases, runs them, writes the reports. */
public final class Main {
    /** Of each case of traffic where there is no mesh; the report says once why. */
    private static final String NOT_ASKED = "not asked: no mesh was found";

    private static final int PASSED = 0;
    private static final int NOT_PASSED = 1;
    private static final int WRONG_USAGE = 2;

    private final List<String> packages;
    private final PrintStream out;
    private final PrintStream err;

    /** {@code packages} hold the cases. */
    Main(List<String> packages, PrintStream out, PrintStream err) {
        this.packages = packages;
        this.out = out;
        this.err = err;
    }

    public static void main(String[] arguments) {
        String here = Main.class.getPackageName();
        Main main = new Main(List.of(here + ".published", here + ".sentences"), System.out, System.err);
        System.exit(main.run(List.of(arguments)));
    }

    /** Runs it to its end and gives the exit code. */
    int run(List<String> arguments) {
        try {
            Options options = Options.read(arguments);
            if (options.help()) {
                out.print(Options.HELP);
                return PASSED;
            }
            List<Chosen> chosen = choose(options.only());
            if (options.list()) {
                chosen.forEach(one -> out.println("%s/%s %s %s: %s"
                        .formatted(
                                one.group(),
                                one.what().id(),
                                one.what().api(),
                                one.version(),
                                one.what().says())));
                return PASSED;
            }
            return run(options, chosen);
        } catch (Options.WrongUsage e) {
            err.println("smi: " + e.getMessage() + "; --help tells more");
            return WRONG_USAGE;
        }
    }

    private List<Chosen> choose(List<String> only) throws Options.WrongUsage {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(packages.stream().map(name -> selectPackage(name)).toList())
                .build();
        TestPlan plan = launcher().discover(request);
        Set<Method> methods = new LinkedHashSet<>();
        plan.getRoots()
                .forEach(root -> plan.getDescendants(root)
                        .forEach(test -> test.getSource()
                                .filter(MethodSource.class::isInstance)
                                .ifPresent(source -> methods.add(((MethodSource) source).getJavaMethod()))));
        List<Chosen> all = methods.stream()
                .flatMap(method -> Chosen.of(method).stream())
                .sorted(Comparator.comparing((Chosen one) -> !one.published())
                        .thenComparing(Chosen::group)
                        .thenComparing(one -> one.what().id()))
                .toList();
        for (String name : only) {
            if (all.stream().noneMatch(one -> one.isNamed(name))) {
                throw new Options.WrongUsage(
                        "--only %s: there is no such group or case; --list names them".formatted(name));
            }
        }
        return all.stream()
                .filter(one -> only.isEmpty() || only.stream().anyMatch(one::isNamed))
                .toList();
    }

    private int run(Options options, List<Chosen> chosen) throws Options.WrongUsage {
        Instant started = Instant.now();
        Progress progress = new Progress(chosen, out);
        Cluster cluster;
        try {
            cluster = Cluster.use(options.target());
        } catch (IllegalArgumentException e) {
            throw new Options.WrongUsage(String.valueOf(e.getMessage()));
        }
        AtomicBoolean written = new AtomicBoolean();
        String kubernetes;
        try {
            kubernetes = cluster.version();
        } catch (KubernetesClientException e) {
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            String why = "the cluster at %s did not answer: %s".formatted(cluster.address(), root);
            write(options, started, "", why, progress.results(chosen, why));
            cluster.close();
            return NOT_PASSED;
        }
        Thread interrupted = new Thread(() -> {
            if (written.compareAndSet(false, true)) {
                write(
                        options,
                        started,
                        kubernetes,
                        "the run was ended before its end",
                        progress.results(chosen, "the run was ended before it"));
                cluster.close();
            }
        });
        Runtime.getRuntime().addShutdownHook(interrupted);
        String missing = "";
        try {
            missing = missing(chosen);
            boolean all = missing.isEmpty();
            List<Chosen> possible =
                    chosen.stream().filter(one -> all || !one.traffic()).toList();
            if (!possible.isEmpty()) {
                launcher().execute(request(options, possible), progress);
            }
        } finally {
            if (written.compareAndSet(false, true)) {
                Runtime.getRuntime().removeShutdownHook(interrupted);
                cluster.close();
            }
        }
        RunReport report = write(
                options,
                started,
                kubernetes,
                missing,
                progress.results(chosen, missing.isEmpty() ? "it did not run" : NOT_ASKED));
        return report.passed() ? PASSED : NOT_PASSED;
    }

    /** What keeps cases of traffic from being asked; empty if nothing does, or none was chosen. */
    private String missing(List<Chosen> chosen) {
        if (chosen.stream().noneMatch(Chosen::traffic)) {
            return "";
        }
        out.println("looking for the mesh");
        try {
            return Presence.missing().orElse("");
        } catch (KubernetesClientException e) {
            return "it cannot be seen whether there is a mesh: " + Progress.reason(e);
        }
    }

    private RunReport write(
            Options options, Instant started, String kubernetes, String stopped, List<CaseResult> cases) {
        RunReport report = new RunReport(
                options.mesh(),
                options.meshVersion(),
                kubernetes,
                options.target().labels(),
                options.target().annotations(),
                started,
                Duration.between(started, Instant.now()),
                stopped,
                cases);
        try {
            Reports.write(report, options.output());
        } catch (IOException e) {
            throw new UncheckedIOException("the reports cannot be written to " + options.output(), e);
        }
        Map<String, Long> skipped = cases.stream()
                .filter(one -> one.result() == Result.SKIPPED)
                .collect(Collectors.groupingBy(CaseResult::reason, LinkedHashMap::new, Collectors.counting()));
        cases.stream()
                .filter(one -> one.result() == Result.FAILED)
                .forEach(one -> out.println("failed %s: %s".formatted(one.name(), one.reason())));
        if (!stopped.isEmpty()) {
            out.println("not run to its end: " + stopped);
        }
        skipped.forEach((reason, count) -> out.println("skipped %d: %s".formatted(count, reason)));
        out.println("%s: %d passed, %d failed, %d skipped in %d s; reports in %s"
                .formatted(
                        report.passed() ? "PASSED" : "NOT PASSED",
                        report.count(Result.PASSED),
                        report.count(Result.FAILED),
                        report.count(Result.SKIPPED),
                        report.duration().toSeconds(),
                        options.output()));
        return report;
    }

    private static LauncherDiscoveryRequest request(Options options, List<Chosen> chosen) {
        String parallel = "junit.jupiter.execution.parallel.";
        return LauncherDiscoveryRequestBuilder.request()
                .selectors(chosen.stream()
                        .map(Chosen::method)
                        .distinct()
                        .map(method -> selectMethod(method.getDeclaringClass(), method))
                        .toList())
                .configurationParameter("junit.jupiter.testmethod.order.default", CaseRunner.class.getName())
                .configurationParameter("junit.jupiter.execution.timeout.testable.method.default", "5 m")
                .configurationParameter("junit.jupiter.execution.timeout.lifecycle.method.default", "6 m")
                .configurationParameter(parallel + "enabled", "true")
                .configurationParameter(parallel + "mode.default", "same_thread")
                .configurationParameter(parallel + "mode.classes.default", "concurrent")
                .configurationParameter(parallel + "config.strategy", "fixed")
                .configurationParameter(parallel + "config.fixed.parallelism", String.valueOf(options.parallel()))
                .configurationParameter(parallel + "config.fixed.max-pool-size", String.valueOf(options.parallel()))
                .build();
    }

    private static Launcher launcher() {
        // Nothing that lies on the class path may listen or filter.
        return LauncherFactory.create(LauncherConfig.builder()
                .enableTestExecutionListenerAutoRegistration(false)
                .enablePostDiscoveryFilterAutoRegistration(false)
                .enableLauncherSessionListenerAutoRegistration(false)
                .build());
    }
}
