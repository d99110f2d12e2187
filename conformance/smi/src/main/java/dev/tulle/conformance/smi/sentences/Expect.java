package dev.tulle.conformance.smi.sentences;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.smi.harness.Calls;
import dev.tulle.conformance.smi.harness.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What a batch of calls must show at both ends. Each gives the batch back, or throws with everything that was seen. */
final class Expect {
    private Expect() {}

    /** Every call was answered by an application with 200, and received exactly once: by the one that answered. */
    static Calls answered(Calls calls) {
        assertThat(calls.outcomes())
                .as("%s: every call is answered with 200", calls)
                .isNotEmpty()
                .allMatch(one -> one.status() == 200);
        Map<String, Long> answering = calls.outcomes().stream()
                .collect(Collectors.groupingBy(Outcome::by, TreeMap::new, Collectors.counting()));
        assertThat(calls.shares())
                .as("%s: each call is received once, by the application that answers", calls)
                .isEqualTo(answering);
        return calls;
    }

    /** The same, and nobody but these applications answered. */
    static Calls answeredBy(Calls calls, String... applications) {
        answered(calls);
        assertThat(calls.shares().keySet()).as("%s: who received", calls).isSubsetOf(applications);
        return calls;
    }

    /** The same, and all of these applications answered. */
    static Calls answeredByAll(Calls calls, String... applications) {
        answered(calls);
        assertThat(calls.shares()).as("%s: who received", calls).containsOnlyKeys(applications);
        return calls;
    }

    /** Every call was answered with 403, and no application received any. */
    static Calls denied(Calls calls) {
        assertThat(calls.outcomes())
                .as("%s: every call is answered with 403", calls)
                .isNotEmpty()
                .allMatch(one -> one.status() == 403);
        assertThat(calls.received()).as("%s: received though denied", calls).isEmpty();
        return calls;
    }

    /** Every connection ended without a word, and soon; no application received anything. */
    static Calls ended(Calls calls) {
        assertThat(calls.outcomes())
                .as("%s: no connection is answered", calls)
                .isNotEmpty()
                .allMatch(one -> one.status() == 0);
        assertThat(calls.outcomes())
                .as("%s: connections are ended, they do not hang", calls)
                .noneMatch(one -> one.error().contains("timeout"));
        assertThat(calls.received()).as("%s: received though denied", calls).isEmpty();
        return calls;
    }

    /**
     * Every call was answered, and of all calls a share of {@code weight} in {@code total} came to these applications.
     *
     * <p>A mesh may draw lots, so the bound is six standard deviations of a binomial distribution and one call more: who draws fairly fails
     * less than once in 400 million checks. A weight of 0 has no bound: not one call.
     */
    static Calls share(Calls calls, double weight, double total, String... applications) {
        answered(calls);
        int sent = calls.outcomes().size();
        double p = weight / total;
        double bound = p == 0 || p == 1 ? 0 : 1 + 6 * Math.sqrt(sent * p * (1 - p));
        double received = Arrays.stream(applications).mapToInt(calls::at).sum();
        assertThat(received)
                .as("%s: at %s are expected %.1f ± %.1f", calls, List.of(applications), p * sent, bound)
                .isBetween(p * sent - bound, p * sent + bound);
        return calls;
    }
}
