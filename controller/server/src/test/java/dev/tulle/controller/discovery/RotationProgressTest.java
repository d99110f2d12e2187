package dev.tulle.controller.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Authorities;
import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.CertificateAuthority;
import dev.tulle.proxy.model.TrustBundle;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotationProgressTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private static final Duration DAY = Duration.ofHours(24);

    private final HandClock clock = new HandClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final Instant started = clock.instant();

    @TempDir
    Path directory;

    private CertificateAuthority authority;
    private TrustBundle oldTrust;

    @BeforeEach
    void open() throws Exception {
        authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        oldTrust = authority.trust();
        clock.pass(Duration.ofMinutes(10));
    }

    @Test
    void nothingIsWaitedForWhileNothingHappens() {
        assertThat(waiting(Map.of(WEB, Statuses.of(WEB).made()))).isEmpty();
    }

    @Test
    void beforeTheNewRootSignsEveryProxyThatIsHereMustTrustIt() throws Exception {
        authority.maintain(2, false);
        assertThat(waiting(Map.of(WEB, Statuses.of(WEB).trust(oldTrust).made())))
                .containsExactly(WEB);
        assertThat(waiting(Map.of(WEB, Statuses.of(WEB).trust(authority.trust()).made())))
                .isEmpty();
        assertThat(waiting(Map.of())).isEmpty();
    }

    @Test
    void aProxyThatWentAwayIsWaitedForAWhile() throws Exception {
        authority.maintain(2, false);
        ProxyStatus away = Statuses.of(WEB)
                .connected(false)
                .seen(clock.instant())
                .trust(oldTrust)
                .made();
        assertThat(waiting(Map.of(WEB, away))).containsExactly(WEB);
        clock.pass(RotationProgress.ABSENCE);
        assertThat(waiting(Map.of(WEB, away))).isEmpty();
    }

    @Test
    void theOldRootStaysWhileALivingLeafHangsOnIt() throws Exception {
        String oldIssuer = authority.trust().issuer();
        Instant ends = clock.instant().plus(DAY);
        authority.maintain(2, false);
        authority.maintain(2, false);
        ProxyStatus here = Statuses.of(WEB).leaf(oldIssuer, ends).made();
        ProxyStatus away =
                Statuses.of(WEB).connected(false).leaf(oldIssuer, ends).made();
        ProxyStatus renewed =
                Statuses.of(WEB).leaf(authority.trust().issuer(), ends).made();
        assertThat(waiting(Map.of(WEB, here))).containsExactly(WEB);
        assertThat(waiting(Map.of(WEB, away))).containsExactly(WEB);
        assertThat(waiting(Map.of(WEB, renewed))).isEmpty();
        clock.pass(DAY);
        assertThat(waiting(Map.of(WEB, away))).isEmpty();
    }

    @Test
    void afterARestartThoseNotHeardOfAreWaitedForUntilTheirLeavesMustHaveEnded() throws Exception {
        authority.maintain(2, false);
        clock.pass(Duration.ofMinutes(1));
        Instant restarted = clock.instant();
        assertThat(RotationProgress.waitingFor(
                        authority.state(), List.of(WEB), Map.of(), restarted, DAY, clock.instant()))
                .containsExactly(WEB);
        authority.maintain(2, false);
        clock.pass(Duration.ofHours(23));
        Instant again = clock.instant();
        assertThat(RotationProgress.waitingFor(authority.state(), List.of(WEB), Map.of(), again, DAY, clock.instant()))
                .containsExactly(WEB);
        clock.pass(Duration.ofHours(2));
        assertThat(RotationProgress.waitingFor(authority.state(), List.of(WEB), Map.of(), again, DAY, clock.instant()))
                .isEmpty();
    }

    @Test
    void aControllerThatHasJustBegunWaitsForThoseItHasNotHeardOfYet() throws Exception {
        Instant begun = clock.instant();
        clock.pass(Duration.ofSeconds(5));
        authority.maintain(2, false);
        assertThat(notHeardOf(begun)).containsExactly(WEB);
        clock.pass(RotationProgress.ABSENCE);
        assertThat(notHeardOf(begun)).isEmpty();

        authority.maintain(2, false);
        clock.pass(Duration.ofHours(23));
        assertThat(notHeardOf(begun)).containsExactly(WEB);
        clock.pass(Duration.ofHours(1));
        assertThat(notHeardOf(begun)).isEmpty();
    }

    @Test
    void oneThatWasNeverHeardOfByAnOldControllerHoldsNothingUp() throws Exception {
        clock.pass(DAY);
        authority.maintain(2, false);
        assertThat(notHeardOf(started)).isEmpty();
        authority.maintain(2, false);
        assertThat(notHeardOf(started)).isEmpty();
    }

    private List<WorkloadId> notHeardOf(Instant begun) {
        return List.copyOf(
                RotationProgress.waitingFor(authority.state(), List.of(WEB), Map.of(), begun, DAY, clock.instant()));
    }

    private List<WorkloadId> waiting(Map<WorkloadId, ProxyStatus> proxies) {
        return List.copyOf(
                RotationProgress.waitingFor(authority.state(), List.of(WEB), proxies, started, DAY, clock.instant()));
    }
}
