package dev.tulle.smi.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "100, 100",
        "+7, 7",
        "007, 7",
        "500m, 0.5",
        "1500m, 1.5",
        "0.5, 0.5",
        ".5, 0.5",
        "5., 5",
        "10u, 0.00001",
        "3n, 0.000000003",
        "2k, 2000",
        "1M, 1000000",
        "1E, 1000000000000000000",
        "1Ki, 1024",
        "1.5Mi, 1572864",
        "12e2, 1200",
        "12E-1, 1.2",
        "1e+3, 1000"
    })
    void readsQuantities(String quantity, BigDecimal amount) {
        assertThat(Weights.amount(JsonNodeFactory.instance.textNode(quantity)).orElseThrow())
                .isEqualByComparingTo(amount);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-1",
                "-500m",
                "much",
                "1 ",
                " 1",
                "1K",
                "1mm",
                "m",
                ".",
                "1e",
                "1e999999999",
                "0x10",
                "1,5",
                "NaN",
                "٣"
            })
    void readsNothingElse(String text) {
        assertThat(Weights.amount(JsonNodeFactory.instance.textNode(text))).isEmpty();
    }

    @Test
    void readsNumbersOfJson() {
        JsonNodeFactory json = JsonNodeFactory.instance;
        assertThat(Weights.amount(json.numberNode(3)).orElseThrow()).isEqualByComparingTo("3");
        assertThat(Weights.amount(json.numberNode(0.25)).orElseThrow()).isEqualByComparingTo("0.25");
        assertThat(Weights.amount(json.numberNode(-3))).isEmpty();
        assertThat(Weights.amount(json.numberNode(Double.NaN))).isEmpty();
        assertThat(Weights.amount(json.numberNode(1e300))).isEmpty();
        assertThat(Weights.amount(json.booleanNode(true))).isEmpty();
        assertThat(Weights.amount(json.nullNode())).isEmpty();
        assertThat(Weights.amount(json.arrayNode())).isEmpty();
    }

    @Test
    void leavesWholeAmountsAlone() {
        assertThat(whole(1_000, "0", "1", "1000")).containsExactly(0L, 1L, 1000L);
        assertThat(whole(1_000)).isEmpty();
    }

    @Test
    void bringsFractionsToOneScale() {
        assertThat(whole(1_000_000, "1", "0.5")).containsExactly(1000L, 500L);
        assertThat(whole(1_000_000, "0.01", "0.1", "1.5")).containsExactly(10L, 100L, 1500L);
        assertThat(whole(10_000_000, "1", "0.00001")).containsExactly(1_000_000L, 10L);
    }

    @Test
    void roundsWhatIsFinerThanABillionthUp() {
        assertThat(whole(Long.MAX_VALUE, "0.0000000001", "1")).containsExactly(1L, 1_000_000_000L);
    }

    @Test
    void shrinksInProportionAndNeverToNothing() {
        assertThat(whole(1000, "2000000", "1000000", "1", "0")).containsExactly(1000L, 500L, 1L, 0L);
        assertThat(whole(Long.MAX_VALUE, "9999999999999999999")).containsExactly(Long.MAX_VALUE);
    }

    private static List<Long> whole(long limit, String... amounts) {
        return Weights.whole(Stream.of(amounts).map(BigDecimal::new).toList(), limit);
    }
}
