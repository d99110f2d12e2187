package dev.tulle.controller.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.JoinTokens.Verification;
import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.WorkloadId;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JoinTokensTest {
    private static final WorkloadId WEB = new WorkloadId("shop", "web-1");
    private final HandClock clock = HandClock.atNow();

    @TempDir
    Path directory;

    private AuthorityState state;
    private String token;

    @BeforeEach
    void issue() throws Exception {
        state = Authorities.open(directory.resolve("state"), clock).state();
        token = JoinTokens.issue(state, WEB, clock.instant().plus(Duration.ofHours(1)));
    }

    @Test
    void letsItsWorkloadInUntilItExpires() throws Exception {
        assertThat(JoinTokens.verify(state, token, clock.instant())).isEqualTo(new Verification.Valid(WEB));
        assertThat(JoinTokens.verify(state, token + "\n", clock.instant())).isEqualTo(new Verification.Valid(WEB));
        assertThat(JoinToken.parse(token).payload().trust()).isEqualTo(state.trust());
        assertThat(token).startsWith("tulle1.").doesNotContain("\n");
    }

    @Test
    void saysWhenItExpired() {
        clock.pass(Duration.ofHours(1));
        assertThat(refusal(token)).contains("expired at").contains("tulle token shop/web-1");
    }

    @Test
    void refusesAnotherControllersToken() throws Exception {
        AuthorityState other =
                Authorities.open(directory.resolve("other"), clock).state();
        String foreign = JoinTokens.issue(other, WEB, clock.instant().plus(Duration.ofHours(1)));
        assertThat(refusal(foreign)).contains("not signed by this controller");
    }

    @Test
    void refusesATokenWhosePayloadWasExchanged() {
        String other = JoinTokens.issue(
                state, new WorkloadId("shop", "thief-1"), clock.instant().plus(Duration.ofHours(1)));
        String forged = other.substring(0, other.lastIndexOf('.')) + token.substring(token.lastIndexOf('.'));
        assertThat(refusal(forged)).contains("not signed by this controller");
        String unsigned = token.substring(0, token.lastIndexOf('.')) + ".AA";
        assertThat(refusal(unsigned)).contains("not signed by this controller");
    }

    @Test
    void refusesWhatIsNoToken() {
        for (String text : new String[] {"", "hello", "tulle1.", "tulle1..", "tulle2.e30.AA", "x".repeat(100_000)}) {
            assertThat(refusal(text)).contains("not a join token");
        }
    }

    private String refusal(String line) {
        return JoinTokens.verify(state, line, clock.instant()) instanceof Verification.Refused(String sentence)
                ? sentence
                : "accepted";
    }
}
