package dev.tulle.controller.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadinessTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final Instant STARTED = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void aWorkloadNotHeardOfIsReadyForHalfAMinute() {
        assertThat(unready(Map.of(), STARTED.plusSeconds(29))).isEmpty();
        assertThat(unready(Map.of(), STARTED.plusSeconds(31))).containsExactly(WEB);
    }

    @Test
    void anEnrolledProxyWithoutAStreamIsNotHeardOf() {
        ProxyStatus enrolled = Statuses.of(WEB).instance("").connected(false).made();
        assertThat(unready(Map.of(WEB, enrolled), STARTED.plusSeconds(29))).isEmpty();
        assertThat(unready(Map.of(WEB, enrolled), STARTED.plusSeconds(31))).containsExactly(WEB);
    }

    @Test
    void aConnectedProxySpeaksForItself() {
        assertThat(unready(Map.of(WEB, Statuses.of(WEB).health(true).made()), STARTED.plusSeconds(99)))
                .isEmpty();
        assertThat(unready(Map.of(WEB, Statuses.of(WEB).health(false).made()), STARTED.plusSeconds(1)))
                .containsExactly(WEB);
        assertThat(unready(Map.of(WEB, Statuses.of(WEB).made()), STARTED.plusSeconds(1)))
                .containsExactly(WEB);
    }

    @Test
    void aProxyMayBeAwayForAMomentToReconnect() {
        Instant left = STARTED.plusSeconds(60);
        ProxyStatus away = Statuses.of(WEB).health(true).made().disconnected(left);
        Duration grace = Readiness.RECONNECT_GRACE;
        assertThat(unready(Map.of(WEB, away), left.plus(grace).minusMillis(1))).isEmpty();
        assertThat(unready(Map.of(WEB, away), left.plus(grace))).containsExactly(WEB);
    }

    private static List<WorkloadId> unready(Map<WorkloadId, ProxyStatus> proxies, Instant now) {
        return List.copyOf(Readiness.unready(List.of(WEB), proxies, STARTED, now));
    }
}
