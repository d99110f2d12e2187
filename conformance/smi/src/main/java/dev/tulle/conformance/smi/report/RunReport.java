package dev.tulle.conformance.smi.report;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One run: about what, and what came of it.
 *
 * @param mesh its name and version as they were given; empty if not
 * @param kubernetes the cluster's version; empty if it did not answer
 * @param stopped what kept it from running to its end; empty if nothing did
 * @param cases all that were chosen, by group and id
 */
public record RunReport(
        String mesh,
        String meshVersion,
        String kubernetes,
        Map<String, String> labels,
        Map<String, String> annotations,
        Instant started,
        Duration duration,
        String stopped,
        List<CaseResult> cases) {
    public RunReport {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
        cases = List.copyOf(cases);
    }

    public long count(Result result) {
        return cases.stream().filter(one -> one.result() == result).count();
    }

    /** Whether it ran to its end. */
    public boolean complete() {
        return stopped.isEmpty();
    }

    /** Whether it ran to its end, at least one case was chosen and every one passed. */
    public boolean passed() {
        return complete() && !cases.isEmpty() && count(Result.PASSED) == cases.size();
    }

    /** Cases by group, both in the order of the run. */
    public Map<String, List<CaseResult>> groups() {
        Map<String, List<CaseResult>> groups = new LinkedHashMap<>();
        cases.forEach(one ->
                groups.computeIfAbsent(one.group(), group -> new ArrayList<>()).add(one));
        return groups;
    }
}
