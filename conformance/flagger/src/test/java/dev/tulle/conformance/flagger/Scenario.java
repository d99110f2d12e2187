package dev.tulle.conformance.flagger;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What is tried with a canary. */
enum Scenario {
    /** A good version goes up in steps and stays. */
    PROMOTION("Succeeded", "0 10 20 30 40 50 0", "maxWeight: 50", "stepWeight: 10"),

    /** Half of the answers of a version are errors. */
    ERRORS("Failed", "0 10 0", "maxWeight: 50", "stepWeight: 10"),

    /** A version is slow. */
    LATENCY("Failed", "0 10 0", "maxWeight: 50", "stepWeight: 10"),

    /** The steps are named one by one, and lead back in steps, too. */
    STEPS("Succeeded", "0 5 25 60 30 0", "stepWeights: [5, 25, 60]", "stepWeightPromotion: 30"),

    /** All at once, after checks that users see nothing of. */
    BLUEGREEN("Succeeded", "0 100 0", "iterations: 2"),

    /** Somebody must say yes before it begins and before it ends. */
    GATES("Succeeded", "0 10 20 0", "maxWeight: 20", "stepWeight: 10");

    /** The phase it ends in. */
    final String end;

    /** What of the Canary's analysis is its own, as lines of YAML. */
    final String strategy;

    private final String weights;

    Scenario(String end, String weights, String... strategy) {
        this.end = end;
        this.weights = weights;
        this.strategy = String.join("\n", strategy);
    }

    /** The canary's weights, in order. */
    List<Integer> weights() {
        return Arrays.stream(weights.split(" ")).map(Integer::valueOf).toList();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean succeeds() {
        return end.equals("Succeeded");
    }
}
