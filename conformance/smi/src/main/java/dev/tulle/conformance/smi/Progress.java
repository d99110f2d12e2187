package dev.tulle.conformance.smi;

import dev.tulle.conformance.smi.report.CaseResult;
import dev.tulle.conformance.smi.report.Result;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Takes down how each case ended, and says so in a line.
 *
 * <p>Only what JUnit reports as run and successful counts as passed; whatever happens to a whole group happens to each of its cases that did not
 * run. Safe for use by many threads.
 */
final class Progress implements TestExecutionListener {
    private static final int LONGEST_LINE = 400;

    private final PrintStream out;
    private final Map<Chosen.Key, Chosen> chosen = new HashMap<>();
    private final Map<Chosen.Key, CaseResult> results = new HashMap<>();
    private final List<CaseResult> groups = new ArrayList<>();
    private final Map<String, Long> started = new HashMap<>();
    private final Map<String, Map<String, String>> measured = new HashMap<>();

    Progress(List<Chosen> chosen, PrintStream out) {
        this.out = out;
        chosen.forEach(one -> this.chosen.put(one.key(), one));
    }

    @Override
    public synchronized void executionStarted(TestIdentifier test) {
        started.put(test.getUniqueId(), System.nanoTime());
    }

    @Override
    public synchronized void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
        measured.computeIfAbsent(test.getUniqueId(), id -> new TreeMap<>()).putAll(entry.getKeyValuePairs());
    }

    @Override
    public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Optional<Throwable> cause = result.getThrowable();
        Result how = switch (result.getStatus()) {
            case SUCCESSFUL -> Result.PASSED;
            case ABORTED -> Result.SKIPPED;
            case FAILED -> Result.FAILED;
        };
        Chosen.Key key = invocation(test);
        if (key != null && chosen.containsKey(key)) {
            end(key, how, cause.map(Progress::reason).orElse(""), test);
        } else if (how != Result.PASSED) {
            // A group or a whole case: those below it that have no result will never have one.
            String reason = cause.map(Progress::reason).orElse("no reason was given");
            List<Chosen> below = below(test);
            boolean said =
                    below.stream().map(one -> end(one.key(), how, reason, test)).reduce(false, Boolean::logicalOr);
            if (!said) {
                // All below had their results already: what could not be taken down counts by itself.
                String group = below.isEmpty()
                        ? test.getDisplayName()
                        : below.getFirst().group();
                CaseResult itself = new CaseResult(
                        group,
                        "its-end",
                        "The group ends as it should.",
                        "",
                        "-",
                        "-",
                        Result.FAILED,
                        reason,
                        Map.of(),
                        Duration.ZERO);
                groups.add(itself);
                out.println(line(itself));
            }
        }
    }

    @Override
    public synchronized void executionSkipped(TestIdentifier test, String reason) {
        below(test)
                .forEach(
                        one -> end(one.key(), Result.SKIPPED, reason.isBlank() ? "no reason was given" : reason, test));
    }

    /** All results, in the order of the cases; one that has none is skipped for {@code why}. */
    synchronized List<CaseResult> results(Collection<Chosen> order, String why) {
        List<CaseResult> all = new ArrayList<>();
        for (Chosen one : order) {
            CaseResult known = results.get(one.key());
            all.add(known == null ? result(one, Result.SKIPPED, why, Map.of(), Duration.ZERO) : known);
        }
        all.addAll(groups);
        return all;
    }

    /** Whether this is its first result: later ones do not count. */
    private boolean end(Chosen.Key key, Result how, String reason, TestIdentifier test) {
        Chosen one = chosen.get(key);
        if (one == null || results.containsKey(key)) {
            return false;
        }
        Duration time =
                Duration.ofNanos(System.nanoTime() - started.getOrDefault(test.getUniqueId(), System.nanoTime()));
        CaseResult result = result(one, how, reason, measured.getOrDefault(test.getUniqueId(), Map.of()), time);
        results.put(key, result);
        out.println(line(result));
        return true;
    }

    private static String line(CaseResult result) {
        String line = String.format(
                Locale.ROOT,
                "%-7s %6.1f s  %s%s",
                result.result() == Result.PASSED ? "ok" : result.result().name(),
                result.duration().toMillis() / 1000.0,
                result.name(),
                result.reason().isEmpty() ? "" : ": " + result.reason().replaceAll("\\s+", " "));
        return line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE) + "...";
    }

    private static CaseResult result(
            Chosen one, Result how, String reason, Map<String, String> measured, Duration time) {
        String why = how == Result.PASSED ? "" : reason.isBlank() ? "no reason was given" : reason;
        return new CaseResult(
                one.group(),
                one.what().id(),
                one.what().says(),
                one.what().reading(),
                one.what().api(),
                one.version(),
                how,
                why,
                measured,
                time);
    }

    /** The case that an invocation of a template is; its display name is the version. */
    private static Chosen.@org.jspecify.annotations.Nullable Key invocation(TestIdentifier test) {
        return test.isTest()
                ? test.getSource()
                        .filter(MethodSource.class::isInstance)
                        .map(source -> new Chosen.Key(((MethodSource) source).getJavaMethod(), test.getDisplayName()))
                        .orElse(null)
                : null;
    }

    private List<Chosen> below(TestIdentifier test) {
        Object source = test.getSource().orElse(null);
        return chosen.values().stream()
                .filter(one -> source == null
                        || (source instanceof ClassSource type
                                && one.method().getDeclaringClass() == type.getJavaClass())
                        || (source instanceof MethodSource method
                                && one.method().equals(method.getJavaMethod())))
                .toList();
    }

    static String reason(Throwable cause) {
        // Its own message also names the address of the API server, and everything twice.
        if (cause instanceof KubernetesClientException refusal && refusal.getStatus() != null) {
            return "the API server answered %d: %s"
                    .formatted(refusal.getCode(), refusal.getStatus().getMessage());
        }
        String message = cause.getMessage();
        return cause instanceof AssertionError || cause instanceof org.opentest4j.IncompleteExecutionException
                ? message == null || message.isBlank() ? cause.getClass().getName() : message.strip()
                : cause.toString();
    }
}
