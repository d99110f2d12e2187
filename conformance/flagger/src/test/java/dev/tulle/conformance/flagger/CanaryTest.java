package dev.tulle.conformance.flagger;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A canary of each provider and scenario: where its requests go, what its users get, and that Flagger sees it.
 *
 * <p>Which are run is said by the properties {@code flagger.providers} and {@code flagger.scenarios}: words with commas, empty for all.
 */
@Tag("flagger")
class CanaryTest {
    /** How long after a weight is seen it may not hold everywhere; and before the next is seen it may hold already. */
    private static final int SETTLE_SECONDS = 2;

    private static final int EARLY_SECONDS = 1;

    /** Standard deviations that what chance decides may be off: one wrong alarm in 15,000. */
    private static final double SIGMAS = 4;

    /**
     * By what part of all requests a count may be off. Shares are exact by request, which chance would not be; and a pod that ends takes
     * along what it counted since it was last asked.
     */
    private static final double OFF = 0.01;

    /** Requests at the edges of a span of seconds that are sent in one and counted in another. */
    private static final int EDGE = 4;

    private static final Report REPORT = new Report();
    private static Cluster cluster;

    @BeforeAll
    static void begin() {
        cluster = Cluster.open();
    }

    @AfterAll
    static void end() {
        cluster.close();
        REPORT.write();
    }

    static Stream<Arguments> canaries() {
        Set<String> providers = wanted("flagger.providers");
        Set<String> scenarios = wanted("flagger.scenarios");
        return Arrays.stream(Scenario.values())
                .filter(scenario -> scenarios.isEmpty() || scenarios.contains(scenario.word()))
                .flatMap(scenario -> Arrays.stream(Provider.values())
                        .filter(provider -> providers.isEmpty() || providers.contains(provider.word))
                        // Beyond the three that every provider must pass, one is enough unless another is asked for.
                        .filter(provider -> scenario.compareTo(Scenario.LATENCY) <= 0
                                || !providers.isEmpty()
                                || provider == Provider.SMI_V1ALPHA2)
                        .map(provider ->
                                Arguments.argumentSet(scenario.word() + " by " + provider.word, provider, scenario)));
    }

    private static Set<String> wanted(String property) {
        return Arrays.stream(System.getProperty(property, "").split(","))
                .filter(word -> !word.isEmpty())
                .collect(Collectors.toSet());
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("canaries")
    void goesWhereItShouldAndNoUserIsLost(Provider provider, Scenario scenario) throws InterruptedException {
        try (Shop shop = Shop.open(cluster, provider, scenario)) {
            try {
                run(shop, provider, scenario);
            } catch (RuntimeException | AssertionError e) {
                REPORT.failed(provider, scenario, e);
                throw new AssertionError(e.getMessage() + "\n" + shop.story(), e);
            }
        }
    }

    private void run(Shop shop, Provider provider, Scenario scenario) throws InterruptedException {
        assertThat(shop.apexSelector())
                .as("the Service that users call")
                .isEqualTo(Cluster.json("{\"app\":\"shop-primary\"}"));
        long begun = Shop.now();
        shop.release("2", scenario == Scenario.ERRORS ? 50 : 0, scenario == Scenario.LATENCY ? "1s" : "");
        if (scenario == Scenario.GATES) {
            passGates(shop);
        }
        shop.await(scenario.end);
        long ended = Shop.now();
        // A while of the state it ends in, until the applications have told of it.
        Thread.sleep(9_000);
        long last = Shop.now() - 2;
        shop.awaitTally();

        whatFlaggerWroteIsUntouched(shop, provider, scenario);
        String shares = everyWeightHolds(shop, scenario, last);
        Tally tally = shop.tally;
        int sent = tally.sum("users", begun, last, "ok", "slow", "failed", "lost");
        int hurt = tally.sum("users", begun, last, "slow", "failed");
        assertThat(tally.sum("users", begun, last, "lost"))
                .as("requests without an answer of the application")
                .isZero();
        assertThat(tally.sum("shop", begun, last, "ok", "failed")
                        + tally.sum("shop-primary", begun, last, "ok", "failed"))
                .as("requests of users that applications received")
                .isBetween((int) (sent * (1 - OFF)) - EDGE, sent + EDGE);
        List<Splits.Step> steps = shop.splits.all();
        if (scenario.succeeds()) {
            assertThat(tally.sum("users", begun, last, "failed"))
                    .as("failed requests of users")
                    .isZero();
            assertThat(hurt).as("slow requests of users").isLessThanOrEqualTo((int) (EDGE + OFF * sent));
            assertThat(tally.sum("users", ended + 1, last, "version 1"))
                    .as("answers of version 1 afterwards")
                    .isZero();
        } else {
            whatUsersSufferedIsTheShareOfTheCanary(shop, scenario, steps, last);
            assertThat(tally.sum("users", ended + 1, last, "version 2"))
                    .as("answers of version 2 afterwards")
                    .isZero();
        }
        assertThat(tally.sum("users", ended + 1, last, "ok"))
                .as("well served afterwards")
                .isGreaterThan(Shop.RATE);
        assertThat(shop.apexSelector())
                .as("the Service that users call")
                .isEqualTo(Cluster.json("{\"app\":\"shop-primary\"}"));
        assertThat(shop.eventsOfTheMesh())
                .as("events of the mesh, on a canary that is as it should be")
                .isEmpty();
        metricsHaveTheNamesOfDeployments(shop, provider);
        REPORT.passed(provider, scenario, ended - begun, sent, hurt, shares);
    }

    private static void passGates(Shop shop) throws InterruptedException {
        shop.await("Waiting");
        Thread.sleep(4_000);
        assertThat(shop.splits.all()).as("changes before anybody said yes").hasSize(1);
        shop.gate(true);
        shop.awaitWeight(10);
        shop.gate(false);
        shop.await("WaitingPromotion");
        // So long that another step would have come.
        Thread.sleep(12_000);
        assertThat(shop.splits.all().getLast().canary())
                .as("weight while waiting for a yes")
                .isEqualTo(20);
        assertThat(shop.phase()).isEqualTo("WaitingPromotion");
        shop.gate(true);
    }

    private static void whatFlaggerWroteIsUntouched(Shop shop, Provider provider, Scenario scenario) {
        List<Splits.Step> steps = shop.splits.all();
        assertThat(steps.stream().map(Splits.Step::canary))
                .as("weights of the canary")
                .isEqualTo(scenario.weights());
        for (Splits.Step step : steps) {
            JsonNode spec = step.object().path("spec");
            String mark = provider.writesText() ? "\"" : "";
            assertThat(spec)
                    .isEqualTo(Cluster.json("""
                    {"service": "shop", "backends": [
                      {"service": "shop-canary", "weight": %s%d%s}, {"service": "shop-primary", "weight": %s%d%s}]}
                    """.formatted(mark, step.canary(), mark, mark, 100 - step.canary(), mark)));
            Set<String> writers = new TreeSet<>();
            step.object()
                    .path("metadata")
                    .path("managedFields")
                    .forEach(writer -> writers.add(writer.path("manager").asText()));
            assertThat(writers).as("who has written the TrafficSplit").containsExactly("flagger");
        }
        assertThat(steps.getLast().object().path("metadata").path("generation").asInt())
                .as("changes of the TrafficSplit")
                .isEqualTo(steps.size());
    }

    /** At each weight the pods of the canary received their share. Gives the shares, for people. */
    private static String everyWeightHolds(Shop shop, Scenario scenario, long last) {
        List<Splits.Step> steps = shop.splits.all();
        StringBuilder shares = new StringBuilder();
        int measured = 0;
        for (int i = 1; i < steps.size(); i++) {
            Splits.Step step = steps.get(i);
            long from = (step.atMillis() + 999) / 1000 + SETTLE_SECONDS;
            long to = i + 1 < steps.size() ? steps.get(i + 1).atMillis() / 1000 - EARLY_SECONDS : last;
            int canary = shop.tally.sum("shop", from, to, "ok", "failed");
            int all = canary + shop.tally.sum("shop-primary", from, to, "ok", "failed");
            if (all < Shop.RATE) {
                // A machine that is busy lets Flagger come late, and then again too soon.
                continue;
            }
            measured++;
            double share = step.canary() / 100.0;
            double bound = EDGE + all * OFF;
            assertThat((double) canary)
                    .as(
                            "requests of %d that pods of the canary received at weight %d in %s",
                            all, step.canary(), scenario)
                    .isBetween(all * share - bound, all * share + bound);
            if (step.canary() > 0) {
                shares.append(
                        "%s%d: %.1f %%".formatted(shares.isEmpty() ? "" : ", ", step.canary(), 100.0 * canary / all));
            }
        }
        assertThat(2 * measured).as("weights that held long enough").isGreaterThanOrEqualTo(steps.size() - 1);
        return shares.toString();
    }

    /** Users suffer in the weight's share and only while it holds; that they suffer at all shows that the version is bad. */
    private static void whatUsersSufferedIsTheShareOfTheCanary(
            Shop shop, Scenario scenario, List<Splits.Step> steps, long last) {
        String word = scenario == Scenario.ERRORS ? "failed" : "slow";
        double expected = (scenario == Scenario.ERRORS ? 0.5 : 1) * steps.get(1).canary() / 100;
        long from = steps.get(1).atMillis() / 1000 - EARLY_SECONDS;
        long to = steps.get(2).atMillis() / 1000 + SETTLE_SECONDS;
        int hurt = shop.tally.sum("users", from, to, word);
        int all = shop.tally.sum("users", from, to, "ok", "slow", "failed");
        assertThat(hurt).as(word).isPositive();
        assertThat((double) hurt)
                .as("%s requests of %d", word, all)
                .isLessThan(all * (expected + OFF) + SIGMAS * Math.sqrt(all * expected));
        assertThat(shop.tally.sum("users", to, last, "failed"))
                .as("failed after the rollback")
                .isZero();
        assertThat(shop.tally.sum("users", to, last, "slow"))
                .as("slow after the rollback")
                .isLessThanOrEqualTo((int) (EDGE + OFF * all));
    }

    private static void metricsHaveTheNamesOfDeployments(Shop shop, Provider provider) {
        String[] deployments = {"loadtester", "shop", "shop-primary", "users"};
        assertThat(shop.workloadsIn("istio_requests_total", "destination_workload_namespace", "destination_workload"))
                .containsExactly(deployments);
        switch (provider) {
            case LINKERD ->
                assertThat(shop.workloadsIn("response_total", "namespace", "deployment"))
                        .containsExactly(deployments);
            case OSM ->
                assertThat(shop.workloadsIn("osm_request_total", "destination_namespace", "destination_name"))
                        .containsExactly(deployments);
            default -> {
                assertThat(shop.workloadsIn("response_total", "namespace", "deployment"))
                        .isEmpty();
                assertThat(shop.workloadsIn("osm_request_total", "destination_namespace", "destination_name"))
                        .isEmpty();
            }
        }
    }
}
