package dev.tulle.proxy.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.bootstrap.Transport;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class RehearsalTest {
    @ParameterizedTest
    @EnumSource(Rehearsal.Act.class)
    void carriesEachKindOfTrafficOverNewAndOldConnections(Rehearsal.Act act) {
        assertThat(Rehearsal.run(
                        Transport.best(), Limits.defaults(), new Rehearsal.End(Duration.ofSeconds(30), 250), act))
                .isGreaterThanOrEqualTo(250);
    }

    @Test
    void endsInTime() {
        assertThat(Rehearsal.run(Transport.best(), Limits.defaults(), Duration.ofMillis(1)))
                .isNotNegative();
    }
}
