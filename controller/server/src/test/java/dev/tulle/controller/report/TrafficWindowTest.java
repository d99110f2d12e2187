package dev.tulle.controller.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.report.TrafficWindow.EdgeTraffic;
import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrafficWindowTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final Duration MINUTE = Duration.ofSeconds(60);

    private final HandClock clock = new HandClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final TrafficWindow window = new TrafficWindow(clock);

    @Test
    void givesTheRateOfSteadyTraffic() {
        steady(Duration.ofMinutes(3));
        Tally tally = only(window.edges(MINUTE)).tally();
        assertThat(tally.rate()).isCloseTo(10, within(0.9));
        assertThat(tally.success()).isCloseTo(0.9, within(1e-9));
        assertThat(tally.quantileMillis(0.5)).isBetween(4.0, 5.0);
    }

    @Test
    void isFairToTrafficThatJustBegan() {
        steady(Duration.ofSeconds(15));
        assertThat(only(window.edges(MINUTE)).tally().rate()).isCloseTo(10, within(3.5));
    }

    @Test
    void wholeSlicesAreOfExactlyAsLongAsWasAskedFor() {
        // Given a report just before, at the beginning of, in and after the window
        clock.pass(Duration.ofMillis(9_999));
        window.add(WEB, report(edge("shop/before", true)));
        clock.pass(Duration.ofMillis(1));
        window.add(WEB, report(edge("shop/first", true)));
        clock.pass(Duration.ofSeconds(29));
        window.add(WEB, report(edge("shop/last", true)));
        clock.pass(Duration.ofSeconds(1));
        window.add(WEB, report(edge("shop/after", true)));
        clock.pass(Duration.ofSeconds(9));
        // When
        TrafficWindow.WholeSlices whole = window.whole(Duration.ofSeconds(30));
        // Then
        assertThat(whole.from()).isEqualTo(Instant.parse("2026-01-01T00:00:10Z"));
        assertThat(whole.until()).isEqualTo(Instant.parse("2026-01-01T00:00:40Z"));
        assertThat(whole.edges())
                .extracting(edge -> edge.key().service())
                .containsExactlyInAnyOrder("shop/first", "shop/last");
    }

    @Test
    void forgetsAfterTenMinutes() {
        steady(Duration.ofMinutes(1));
        clock.pass(Duration.ofMinutes(2));
        assertThat(window.edges(MINUTE)).isEmpty();
        assertThat(window.edges(TrafficWindow.LENGTH)).hasSize(1);
        clock.pass(Duration.ofMinutes(9));
        assertThat(window.edges(TrafficWindow.LENGTH)).isEmpty();
    }

    @Test
    void keepsEdgesApart() {
        window.add(WEB, report(edge("shop/catalog", true), edge("shop/catalog", false), edge("shop/reviews", true)));
        assertThat(window.edges(MINUTE)).hasSize(3);
    }

    @Test
    void boundsItsEdgesAndCountsTheRestWithoutNames() {
        for (int i = 0; i < 5; i++) {
            List<Report.Edge> edges = new ArrayList<>();
            for (int j = 0; j < Report.MAX_EDGES; j++) {
                edges.add(edge("shop/s" + i + "-" + j, true));
            }
            window.add(WEB, new Report(edges, List.of(), 0, 0, ""));
        }
        List<EdgeTraffic> edges = window.edges(MINUTE);
        assertThat(edges).hasSize(TrafficWindow.MAX_EDGES + 1);
        assertThat(window.overflowed()).isEqualTo(3000);
        assertThat(edges.stream().mapToLong(edge -> edge.tally().requests()).sum())
                .isEqualTo(5L * 1000 * 50);
    }

    @Test
    void takesNoNamesThatAreNone() {
        String longName = "x".repeat(1000);
        window.add(
                WEB,
                report(new Report.Edge(
                        Direction.OUTBOUND, "not a spiffe id", longName, longName, true, true, 1, 0, 0, List.of())));
        assertThat(only(window.edges(MINUTE)).key())
                .isEqualTo(new TrafficWindow.EdgeKey(Direction.OUTBOUND, WEB, "other", "other", "other", true, true));
    }

    @Test
    void neverCallsMoreThanEverythingAFailure() {
        window.add(WEB, report(new Report.Edge(Direction.OUTBOUND, "", "s", "b", true, true, 10, 20, 0, List.of())));
        Tally tally = only(window.edges(MINUTE)).tally();
        assertThat(tally.success()).isZero();
        assertThat(tally.quantileMillis(0.5)).isNaN();
    }

    @Test
    void addsUpWhatResilienceDidAndForgetsIt() {
        for (int i = 0; i < 3; i++) {
            window.add(WEB, acted(new Report.Act("shop/catalog", "retry", 2, 0)));
            clock.pass(Duration.ofSeconds(5));
        }
        assertThat(window.acts(MINUTE))
                .containsExactly(
                        new TrafficWindow.ActSeen(new TrafficWindow.ActKey(WEB, "shop/catalog", "retry"), 6, 0));
        clock.pass(Duration.ofMinutes(11));
        assertThat(window.acts(TrafficWindow.LENGTH)).isEmpty();
    }

    @Test
    void knowsWhatLastsOnlyWhileItIsTold() {
        window.add(WEB, acted(new Report.Act("shop/catalog", "ejection", 1, 1)));
        window.add(WEB, acted(new Report.Act("shop/catalog", "ejection", 0, 1)));
        assertThat(window.acts(MINUTE)).extracting(TrafficWindow.ActSeen::now).containsExactly(1L);

        clock.pass(Duration.ofSeconds(30));
        assertThat(window.acts(MINUTE)).extracting(TrafficWindow.ActSeen::now).containsExactly(0L);
        assertThat(window.acts(MINUTE)).extracting(TrafficWindow.ActSeen::count).containsExactly(1L);
    }

    @Test
    void boundsWhatResilienceDid() {
        for (int i = 0; i < 10; i++) {
            List<Report.Act> acts = new ArrayList<>();
            for (int j = 0; j < Report.MAX_ACTS; j++) {
                acts.add(new Report.Act("shop/s" + i + "-" + j, "retry", 1, 0));
            }
            window.add(WEB, acted(acts.toArray(new Report.Act[0])));
        }
        assertThat(window.acts(MINUTE)).hasSize(TrafficWindow.MAX_EDGES);
        assertThat(window.overflowed()).isEqualTo(3000);
    }

    private static Report acted(Report.Act... acts) {
        return new Report(List.of(), List.of(), List.of(acts), 0, 0, "");
    }

    @Test
    void keepsTheNewestDenials() {
        for (int i = 0; i < 30; i++) {
            List<Report.Denial> denials = new ArrayList<>();
            for (int j = 0; j < 10; j++) {
                denials.add(new Report.Denial(i * 10L + j, "", 80, "GET", "/", "no-grant", "", false));
            }
            window.add(WEB, new Report(List.of(), denials, 0, 0, ""));
        }
        assertThat(window.denials()).hasSize(TrafficWindow.MAX_DENIALS);
        assertThat(window.denials().getFirst().denial().at()).isEqualTo(299);
        assertThat(window.denials().getLast().denial().at()).isEqualTo(100);
    }

    private void steady(Duration time) {
        for (long passed = 0; passed < time.toSeconds(); passed += 5) {
            clock.pass(Duration.ofSeconds(5));
            window.add(WEB, report(edge("shop/catalog", true)));
        }
    }

    private static Report report(Report.Edge... edges) {
        return new Report(List.of(edges), List.of(), 0, 0, "");
    }

    /** Fifty requests, five of them failed, all of 4 to 5 milliseconds. */
    private static Report.Edge edge(String service, boolean mtls) {
        long bucket = LatencyBuckets.indexOf(5000);
        return new Report.Edge(Direction.OUTBOUND, "", service, service, true, mtls, 50, 5, 0, List.of(bucket, 50L));
    }

    private static EdgeTraffic only(List<EdgeTraffic> edges) {
        assertThat(edges).hasSize(1);
        return edges.getFirst();
    }
}
