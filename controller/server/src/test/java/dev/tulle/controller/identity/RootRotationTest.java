package dev.tulle.controller.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.RootRotation.Facts;
import dev.tulle.controller.identity.RootRotation.Settled;
import dev.tulle.controller.identity.RootRotation.Signing;
import dev.tulle.controller.identity.RootRotation.Trusting;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RootRotationTest {
    private static final Instant THEN = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant NOW = Instant.parse("2026-01-02T00:00:00Z");

    @Test
    void aFreshStateTakesOverTheGenerationItFinds() {
        assertThat(new Settled(0, THEN).next(new Facts(7, false, false), NOW)).isEqualTo(new Settled(7, THEN));
    }

    @Test
    void aLargerGenerationBegins() {
        assertThat(new Settled(1, THEN).next(new Facts(2, false, false), NOW)).isEqualTo(new Trusting(2, NOW));
    }

    @Test
    void theSameOrASmallerGenerationDoesNothing() {
        Settled settled = new Settled(3, THEN);
        assertThat(settled.next(new Facts(3, false, false), NOW)).isEqualTo(settled);
        assertThat(settled.next(new Facts(1, false, false), NOW)).isEqualTo(settled);
    }

    @Test
    void anAgedRootIsReplacedUnasked() {
        assertThat(new Settled(3, THEN).next(new Facts(1, true, false), NOW)).isEqualTo(new Trusting(3, NOW));
    }

    @Test
    void eachPhaseWaitsForTheProxies() {
        Trusting trusting = new Trusting(2, THEN);
        Signing signing = new Signing(2, THEN);
        assertThat(trusting.next(new Facts(2, false, true), NOW)).isEqualTo(trusting);
        assertThat(signing.next(new Facts(2, false, true), NOW)).isEqualTo(signing);
        assertThat(trusting.next(new Facts(2, false, false), NOW)).isEqualTo(new Signing(2, NOW));
        assertThat(signing.next(new Facts(2, false, false), NOW)).isEqualTo(new Settled(2, NOW));
    }

    @Test
    void aRequestDuringARotationWaitsForItsEnd() {
        assertThat(new Trusting(2, THEN).next(new Facts(3, false, false), NOW)).isEqualTo(new Signing(2, NOW));
        assertThat(new Settled(2, THEN).next(new Facts(3, false, false), NOW)).isEqualTo(new Trusting(3, NOW));
    }
}
