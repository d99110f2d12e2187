package dev.tulle.proxy.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class LatencyBucketsTest {
    @Test
    void countsEachLatencyInTheFirstBucketThatHoldsIt() {
        for (int i = 0; i < LatencyBuckets.count() - 1; i++) {
            long bound = LatencyBuckets.upperMicros(i);
            assertThat(bound).isLessThan(LatencyBuckets.upperMicros(i + 1));
            assertThat(LatencyBuckets.indexOf(bound)).isEqualTo(i);
            assertThat(LatencyBuckets.indexOf(bound + 1)).isEqualTo(i + 1);
        }
        assertThat(LatencyBuckets.indexOf(0)).isZero();
        assertThat(LatencyBuckets.indexOf(Long.MAX_VALUE)).isEqualTo(LatencyBuckets.count() - 1);
    }

    @Test
    void estimatesQuantilesInsideTheBucketTheyFallInto() {
        long[] counts = new long[LatencyBuckets.count()];
        assertThat(LatencyBuckets.quantileMicros(counts, 0.99)).isZero();
        counts[LatencyBuckets.indexOf(1_000)] = 90;
        counts[LatencyBuckets.indexOf(50_000)] = 10;
        assertThat(LatencyBuckets.quantileMicros(counts, 0.5)).isBetween(750.0, 1_000.0);
        assertThat(LatencyBuckets.quantileMicros(counts, 0.9)).isEqualTo(1_000.0, within(1e-6));
        assertThat(LatencyBuckets.quantileMicros(counts, 0.99)).isBetween(40_000.0, 50_000.0);
    }

    @Test
    void saysTheLastBoundForLatenciesBeyondIt() {
        long[] counts = new long[LatencyBuckets.count()];
        counts[counts.length - 1] = 1;
        assertThat(LatencyBuckets.quantileMicros(counts, 0.5)).isEqualTo(60_000_000.0);
    }

    @Test
    void acceptsInAReportOnlyBucketsThatThereAreInRisingOrder() {
        long count = LatencyBuckets.count();
        assertThat(edge(List.of(0L, 1L, count - 1, 2L)).latency()).hasSize(4);
        for (List<Long> wrong : List.of(
                List.of(0L),
                List.of(count, 1L),
                List.of(-1L, 1L),
                List.of(3L, 1L, 2L, 1L),
                List.of(3L, 1L, 3L, 1L),
                List.of(0L, -1L))) {
            assertThatIllegalArgumentException().isThrownBy(() -> edge(wrong));
        }
    }

    private static Report.Edge edge(List<Long> latency) {
        return new Report.Edge(Report.Direction.INBOUND, "", "", "80", true, false, 1, 0, 0, latency);
    }
}
