package dev.tulle.conformance.smi.report;

import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came of one case in one version.
 *
 * @param group as in {@code --only}
 * @param id within the group
 * @param sentence what the specification asks, in our words
 * @param reading why it is read so where the specification is silent or ambiguous; empty for what it says
 * @param reason why it failed or was skipped; empty if it passed
 * @param measured numbers and texts by name, ordered
 */
public record CaseResult(
        String group,
        String id,
        String sentence,
        String reading,
        String api,
        String version,
        Result result,
        String reason,
        Map<String, String> measured,
        Duration duration) {
    public CaseResult {
        measured = Collections.unmodifiableMap(new TreeMap<>(measured));
        if (result == Result.PASSED != reason.isEmpty()) {
            throw new IllegalArgumentException(
                    "%s/%s: a reason belongs to what did not pass, and only to that".formatted(group, id));
        }
    }

    /** {@code group/id}, and the version. */
    public String name() {
        return "%s/%s %s".formatted(group, id, version);
    }
}
