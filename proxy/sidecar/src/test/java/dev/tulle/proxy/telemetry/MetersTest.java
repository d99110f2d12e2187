package dev.tulle.proxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.LatencyBuckets;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.Report;
import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.model.ToController;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MetersTest {
    private static final String PEER = "spiffe://cluster.local/ns/shop/sa/client";

    @Test
    void tellsWhatResilienceDidSinceTheLastReportAndWhatLasts() {
        Meters meters = new Meters(1000);
        ActMeter meter = meters.acts("shop/reviews");
        meter.count(Act.RETRY);
        meter.count(Act.RETRY);
        meter.ejected(() -> 1);

        assertThat(meters.drain().getFirst().acts())
                .containsExactly(
                        new Report.Act("shop/reviews", "retry", 2, 0),
                        new Report.Act("shop/reviews", "ejection", 0, 1));
        assertThat(meters.drain().getFirst().acts()).containsExactly(new Report.Act("shop/reviews", "ejection", 0, 1));
        meter.ejected(() -> 0);
        assertThat(meters.drain().getFirst().acts()).isEmpty();
    }

    @Test
    void countsServicesBeyondTheCapTogether() {
        Meters meters = new Meters(10);
        for (int i = 0; i < 10; i++) {
            meters.acts("shop/s" + i).count(Act.RETRY);
        }

        assertThat(meters.drain().getFirst().acts()).hasSize(3).contains(new Report.Act("other", "retry", 8, 0));
    }

    @Test
    void reportsWhatHappenedSinceTheLastReport() {
        Meters meters = new Meters(1000);
        EdgeMeter edge = meters.edge(Direction.INBOUND, PEER, "", "9080", true, true);
        edge.ended(false, 200, 150);
        edge.ended(true, 503, 150);
        edge.ended(true, 0, -1);
        meters.connectionOpened(Direction.INBOUND);

        Report first = meters.drain().getFirst();
        edge.ended(false, 200, 70_000_000);
        Report second = meters.drain().getFirst();
        Report third = meters.drain().getFirst();

        assertThat(first.edges())
                .containsExactly(
                        new Report.Edge(Direction.INBOUND, PEER, "", "9080", true, true, 3, 2, 0, List.of(1L, 2L)));
        assertThat(first.connections()).isEqualTo(1);
        assertThat(second.edges()).singleElement().satisfies(again -> {
            assertThat(again.requests()).isEqualTo(1);
            assertThat(again.failures()).isZero();
            assertThat(again.latency()).containsExactly((long) LatencyBuckets.count() - 1, 1L);
        });
        assertThat(third.edges()).isEmpty();
    }

    @Test
    void givesTheSameMeterForTheSameTraffic() {
        Meters meters = new Meters(1000);

        assertThat(meters.edge(Direction.INBOUND, PEER, "", "9080", true, true))
                .isSameAs(meters.edge(Direction.INBOUND, PEER, "", "9080", true, true))
                .isNotSameAs(meters.edge(Direction.INBOUND, PEER, "", "9080", true, false));
    }

    @Test
    void countsWhatIsBeyondTheCapAsOther() {
        Meters meters = new Meters(10);
        for (int i = 0; i < 100; i++) {
            meters.edge(Direction.INBOUND, "spiffe://peer/" + i, "", "9080", true, true)
                    .ended(false, 200, 1);
        }

        List<Report.Edge> edges = meters.drain().getFirst().edges();

        assertThat(edges).hasSize(3);
        assertThat(edges).anySatisfy(edge -> {
            assertThat(edge.peer()).isEqualTo("other");
            assertThat(edge.requests()).isEqualTo(98);
        });
        assertThat(PrometheusText.of(meters, "1", Set.of()))
                .contains("tulle_limit_hits_total{limit=\"max_series\"} 98\n");
    }

    @Test
    void keepsTheNewestDenialsInTheirOrder() {
        Meters meters = new Meters(1000);
        EdgeMeter edge = meters.edge(Direction.INBOUND, PEER, "", "9080", true, true);
        for (int i = 0; i < 30; i++) {
            edge.denied(new Report.Denial(i, PEER, 9080, "GET", "/" + i, "no_rule", "why", false));
        }

        Report report = meters.drain().getFirst();

        assertThat(report.denials())
                .extracting(Report.Denial::path)
                .hasSize(20)
                .startsWith("/10", "/11")
                .endsWith("/29");
        assertThat(report.edges().getFirst().denied()).isEqualTo(30);
        assertThat(report.edges().getFirst().requests()).isZero();
        assertThat(meters.drain().getFirst().denials()).isEmpty();
    }

    @Test
    void everyReportFitsIntoOneLineOfTheStream() {
        Meters meters = new Meters(1000);
        String longName = "n".repeat(250);
        for (int i = 0; i < 1000; i++) {
            EdgeMeter edge = meters.edge(
                    Direction.OUTBOUND,
                    "spiffe://" + longName + "/ns/" + longName + "/sa/" + longName + i,
                    longName + "/" + longName,
                    longName + "/" + longName,
                    true,
                    true);
            for (int bucket = 0; bucket < LatencyBuckets.count(); bucket++) {
                edge.ended(false, 200, Math.min(LatencyBuckets.upperMicros(bucket), 90_000_000));
            }
            edge.denied(new Report.Denial(
                    Long.MAX_VALUE,
                    "\u0001".repeat(5000),
                    1,
                    "\u0001".repeat(999),
                    "\u0001".repeat(9999),
                    "r",
                    "\u0001".repeat(9999),
                    false));
        }

        List<Report> reports = meters.drain();

        assertThat(reports).hasSize(16);
        assertThat(reports.stream().mapToInt(report -> report.edges().size()).sum())
                .isEqualTo(993);
        assertThat(reports)
                .allSatisfy(report -> assertThat(ProxyCodec.encode(new ToController.Reported(report))
                                .getBytes(StandardCharsets.UTF_8)
                                .length)
                        .isLessThan(256 * 1024));
    }
}
