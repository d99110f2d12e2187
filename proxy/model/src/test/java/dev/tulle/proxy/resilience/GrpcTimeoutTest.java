package dev.tulle.proxy.resilience;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrpcTimeoutTest {
    @ParameterizedTest
    @CsvSource({
        "1H, 3600000000000",
        "2M, 120000000000",
        "3S, 3000000000",
        "100m, 100000000",
        "5u, 5000",
        "7n, 7",
        "0S, 0",
        "99999999H, 9223372036854775807"
    })
    void readsANumberAndAUnit(String text, long nanos) {
        assertThat(GrpcTimeout.nanos(text)).isEqualTo(nanos);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "S", "5", "123456789S", "-1S", "1 S", "1s", "1.5S", "١S", "+1S"})
    void passesOverWhatIsNone(String text) {
        assertThat(GrpcTimeout.nanos(text)).isEqualTo(-1);
    }
}
