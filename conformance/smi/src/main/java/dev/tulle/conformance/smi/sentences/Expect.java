package dev.tulle.conformance.smi.sentences;

import dev.tulle.conformance.smi.harness.Calls;
import dev.tulle.conformance.smi.harness.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What a batch of calls must show at both ends. Each gives the batch back, or says in one line what was wanted and what was seen. */
final class Expect {
    /** Bounds of a share: who draws lots fairly misses them less than once in a million checks. */
    private static final int DEVIATIONS = 5;

    private Expect() {}

    /** Every call was answered by an application with 200, and received exactly once: by the one that answered. */
    static Calls answered(Calls calls) {
        return answeredAs(calls, "every call is answered with 200");
    }

    private static Calls answeredAs(Calls calls, String wanted) {
        hold(allHave(calls, 200), calls, wanted);
        Map<String, Long> answering = calls.outcomes().stream()
                .collect(Collectors.groupingBy(Outcome::by, TreeMap::new, Collectors.counting()));
        hold(
                calls.shares().equals(answering),
                calls,
                "%s, and received once, by the application that answers (answers came of %s)"
                        .formatted(wanted, answering));
        return calls;
    }

    /** The same, and nobody but these applications answered. */
    static Calls answeredBy(Calls calls, String... applications) {
        String wanted = "every call is answered with 200, by %s".formatted(String.join(" or ", applications));
        hold(List.of(applications).containsAll(calls.shares().keySet()), calls, wanted);
        return answeredAs(calls, wanted);
    }

    /** The same, and all of these applications answered. */
    static Calls answeredByAll(Calls calls, String... applications) {
        answeredBy(calls, applications);
        hold(
                calls.shares().size() == applications.length,
                calls,
                "each of %s answers some of the calls".formatted(String.join(", ", applications)));
        return calls;
    }

    /** Every call was answered with 403, and no application received any. */
    static Calls denied(Calls calls) {
        hold(
                allHave(calls, 403) && calls.received().isEmpty(),
                calls,
                "every call is denied: answered with 403, received by nobody");
        return calls;
    }

    /** Every connection ended without a word, and soon; no application received anything. */
    static Calls ended(Calls calls) {
        hold(
                allHave(calls, 0) && calls.received().isEmpty(),
                calls,
                "every connection is denied: ended without an answer, received by nobody");
        hold(
                calls.outcomes().stream().noneMatch(one -> one.error().contains("timeout")),
                calls,
                "connections that are denied are ended, they do not hang");
        hold(
                calls.outcomes().stream().noneMatch(one -> one.error().contains("lookup")),
                calls,
                "the name can be looked up; otherwise nothing is denied");
        return calls;
    }

    /**
     * Every call was answered, and of all calls a share of {@code weight} in {@code total} came to these applications.
     *
     * <p>A mesh may draw lots, so the bound is some standard deviations of a binomial distribution and one call more. A weight of 0 has no bound:
     * not one call.
     */
    static Calls share(Calls calls, double weight, double total, String... applications) {
        answered(calls);
        int sent = calls.outcomes().size();
        double bound = bound(sent, weight / total);
        double wanted = sent * weight / total;
        int received = Arrays.stream(applications).mapToInt(calls::at).sum();
        hold(
                Math.abs(received - wanted) <= bound,
                calls,
                String.format(
                        Locale.ROOT,
                        "%s gets %.0f of %d, give or take %.0f, by weights of %.0f in %.0f",
                        String.join(" and ", applications),
                        wanted,
                        sent,
                        bound,
                        weight,
                        total));
        return calls;
    }

    /** How far a fair share of so many calls may be from {@code p} of them. */
    private static double bound(int sent, double p) {
        return p == 0 || p == 1 ? 0 : 1 + DEVIATIONS * Math.sqrt(sent * p * (1 - p));
    }

    /** Throws unless it is right: the wish and what was seen instead, in one line. */
    static void hold(boolean right, Calls calls, String wanted) {
        if (!right) {
            throw new AssertionError("wanted: %s; seen: %s".formatted(wanted, calls));
        }
    }

    private static boolean allHave(Calls calls, int status) {
        return !calls.outcomes().isEmpty() && calls.outcomes().stream().allMatch(one -> one.status() == status);
    }
}
