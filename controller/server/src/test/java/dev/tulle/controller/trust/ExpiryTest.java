package dev.tulle.controller.trust;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ExpiryTest {
    private static final Instant END = Instant.parse("2027-03-01T00:00:00Z");

    @Test
    void tellsThirtySevenAndOneDayBefore() {
        Expiry.Certificate root = living(Duration.ofDays(3650));
        assertThat(Expiry.near(root, END.minus(Duration.ofDays(31)))).isEmpty();
        assertThat(Expiry.near(root, END.minus(Duration.ofDays(30)))).contains(30);
        assertThat(Expiry.near(root, END.minus(Duration.ofDays(7)))).contains(7);
        assertThat(Expiry.near(root, END.minus(Duration.ofHours(23)))).contains(1);
        assertThat(Expiry.near(root, END.plus(Duration.ofDays(5)))).contains(1);
    }

    @Test
    void saysNothingOfWhatIsRenewedInTime() {
        assertThat(Expiry.near(living(Duration.ofDays(90)), END.minus(Duration.ofDays(30))))
                .isEmpty();
        assertThat(Expiry.near(living(Duration.ofDays(90)), END.minus(Duration.ofDays(26))))
                .contains(30);
        assertThat(Expiry.near(living(Duration.ofHours(24)), END.minus(Duration.ofHours(12))))
                .isEmpty();
        assertThat(Expiry.near(living(Duration.ofHours(24)), END.minus(Duration.ofHours(5))))
                .contains(1);
    }

    @Test
    void saysWhatEndsWhenAndWhatToDo() {
        assertThat(living(Duration.ofDays(90)).sentence(1))
                .isEqualTo("the issuer ends at 2027-03-01T00:00:00Z, in less than 1 day: renew it");
    }

    private static Expiry.Certificate living(Duration life) {
        return new Expiry.Certificate("the issuer", "tulle-issuer", "1", END.minus(life), END, "renew it");
    }
}
