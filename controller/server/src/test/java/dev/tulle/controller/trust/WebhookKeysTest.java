package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.ServerCertificates;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WebhookKeysTest {
    private static final Instant START = Instant.parse("2026-11-21T12:00:00Z");

    private final WebhookPair first = pair(START);

    @Test
    void theNextOneIsAnnouncedBeforeItIsShownAndTheOldOneForgottenAfter() {
        WebhookKeys settled = WebhookKeys.settled(first, START);
        Instant late = START.plus(Duration.ofDays(61));
        WebhookPair second = pair(late);
        assertThat(settled.due(Optional.of(START), () -> second, START.plus(Duration.ofDays(59))))
                .isEqualTo(settled);
        // Announced: both in the caBundle, the old one is shown
        WebhookKeys announced = settled.due(Optional.of(START), () -> second, late);
        assertThat(announced.serving()).isEqualTo(first);
        assertThat(announced.authorities()).containsExactly(first.authority(), second.authority());
        // Not shown before every configuration has held both for a minute
        assertThat(announced.due(Optional.empty(), () -> second, late.plus(Duration.ofHours(1))))
                .isEqualTo(announced);
        assertThat(announced.due(Optional.of(late.plusSeconds(30)), () -> second, late.plusSeconds(61)))
                .isEqualTo(announced);
        WebhookKeys exchanged = announced.due(Optional.of(late.plusSeconds(1)), () -> second, late.plusSeconds(61));
        assertThat(exchanged.serving()).isEqualTo(second);
        assertThat(exchanged.authorities()).containsExactly(first.authority(), second.authority());
        // Forgotten when every replica had the time to show the new one
        assertThat(exchanged.due(Optional.of(late), () -> second, late.plusSeconds(62)))
                .isEqualTo(exchanged);
        WebhookKeys done = exchanged.due(Optional.of(late), () -> second, late.plusSeconds(122));
        assertThat(done.authorities()).containsExactly(second.authority());
        assertThat(done.serving()).isEqualTo(second);
    }

    @Test
    void oneThatHasEndedIsReplacedAtOnce() {
        Instant after = START.plus(Duration.ofDays(91));
        WebhookPair second = pair(after);
        assertThat(WebhookKeys.settled(first, START).due(Optional.empty(), () -> second, after))
                .isEqualTo(WebhookKeys.settled(second, after));
    }

    @Test
    void partsThatDoNotBelongTogetherAreRefused() {
        WebhookPair other = pair(START);
        assertThatThrownBy(() -> WebhookPair.of(first.chain(), other.key(), first.authority()))
                .isInstanceOf(GeneralSecurityException.class);
        assertThatThrownBy(() -> WebhookPair.of(first.chain(), first.key(), other.authority()))
                .isInstanceOf(GeneralSecurityException.class);
        assertThatThrownBy(() -> WebhookPair.of(first.chain(), "hello", first.authority()))
                .isInstanceOf(GeneralSecurityException.class);
        assertThatThrownBy(() -> WebhookPair.of("hello", first.key(), first.authority()))
                .isInstanceOf(GeneralSecurityException.class);
    }

    @Test
    void oneOfAnEarlierVersionThatLacksANameIsExchangedInSteps() {
        WebhookPair earlier = pair(START, List.of("tulle-webhook.tulle-system.svc"));

        WebhookKeys next =
                WebhookKeys.settled(earlier, START).due(Optional.of(START), () -> first, START.plusSeconds(1));

        assertThat(next.serving()).isEqualTo(earlier);
        assertThat(next.next()).contains(first);
    }

    private static WebhookPair pair(Instant now) {
        return pair(now, WebhookSecret.NAMES);
    }

    private static WebhookPair pair(Instant now, List<String> names) {
        ServerCertificates.Made made = ServerCertificates.make(names, Duration.ofDays(90), now);
        try {
            return WebhookPair.of(made.chain(), made.key(), made.authority());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
