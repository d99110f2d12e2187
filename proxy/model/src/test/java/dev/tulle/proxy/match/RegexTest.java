package dev.tulle.proxy.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.re2j.Pattern;
import dev.tulle.proxy.match.Regex.Anchoring;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
    @ParameterizedTest
    @CsvSource({
        "/metrics, /metrics, true, true",
        "/metrics, /metricsfoo, true, false",
        "/metrics, /metrics/x, true, false",
        "/metrics, /x/metrics, false, false",
        "^/metrics$, /metrics, true, true",
        "^/metrics$, /metrics/x, false, false",
        "/metrics/.*, /metrics/x, true, true",
        "/metrics/.*, /metrics, false, false",
        ".*, /anything, true, true",
        "'', /anything, true, false",
        "/a|/b, /b, true, true",
        "/a|/b, /bc, true, false",
        "(?i)/METRICS, /metrics, true, true",
        "/a.c, /abc, true, true",
        "/a\\.c, /abc, false, false",
    })
    void anchorsAtTheStartOrAtBothEnds(String regex, String text, boolean fromStart, boolean whole)
            throws Regex.Unusable {
        assertThat(Regex.compile(regex, Anchoring.START).matches(text)).isEqualTo(fromStart);
        assertThat(Regex.compile(regex, Anchoring.BOTH).matches(text)).isEqualTo(whole);
    }

    @Test
    void comparesPlainTextsAsTheEngineWould() throws Regex.Unusable {
        Random random = new Random(5);
        List<String> regexPieces = List.of("/", "a", "b", ".", ".*", "^", "$", "|", "ä", "\\.", "a?", "[ab]");
        List<String> textPieces = List.of("/", "a", "b", ".", "ä", "\n", "");
        for (int i = 0; i < 20_000; i++) {
            String regex = random(regexPieces, random);
            String text = random(textPieces, random);
            Pattern pattern;
            try {
                pattern = Pattern.compile(regex);
            } catch (com.google.re2j.PatternSyntaxException e) {
                continue;
            }
            assertThat(Regex.compile(regex, Anchoring.START).matches(text))
                    .as("%s from the start of %s", regex, text)
                    .isEqualTo(pattern.matcher(text).lookingAt());
            assertThat(Regex.compile(regex, Anchoring.BOTH).matches(text))
                    .as("%s on all of %s", regex, text)
                    .isEqualTo(pattern.matcher(text).matches());
        }
    }

    private static String random(List<String> pieces, Random random) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(5); length > 0; length--) {
            text.append(pieces.get(random.nextInt(pieces.size())));
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[a", "a**", "(?=a)", "(?<!a)b", "\\1", "a{1001}", "*"})
    void refusesWhatRe2DoesNotKnow(String regex) {
        assertThatThrownBy(() -> Regex.compile(regex, Anchoring.START))
                .isInstanceOf(Regex.Unusable.class)
                .hasMessageStartingWith("is not RE2 syntax: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "((a{1000}){1000}){1000}",
                "((a{999,}){999}){2}",
                "(((((a{10}){10}){10}){10}){10}){10}",
                "(?:(?:a{1,900}){900}){2}",
                "((((a|b){9}){9}){9}){999}",
                "(\\{a{1000}){1000}"
            })
    void refusesNestedCountsBeforeTheyEatTheMemory(String regex) {
        assertThatThrownBy(() -> Regex.compile(regex, Anchoring.START)).isInstanceOf(Regex.Unusable.class);
    }

    @Test
    void refusesAnExpressionBeyondItsLimits() {
        assertThatThrownBy(() -> Regex.compile("a".repeat(Regex.MAX_LENGTH + 1), Anchoring.START))
                .isInstanceOf(Regex.Unusable.class);
        assertThatThrownBy(() -> Regex.compile("(a{90}b{90}c{90}){9}", Anchoring.START))
                .isInstanceOf(Regex.Unusable.class)
                .hasMessageContaining("instructions");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/users/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                "/(v1|v2)/[a-z]{1,64}(/[a-z0-9-]{1,64}){0,3}",
                "/\\d{1,3}(\\.\\d{1,3}){3}/.*"
            })
    void takesCountsThatRulesReallyUse(String regex) throws Regex.Unusable {
        assertThat(Regex.compile(regex, Anchoring.BOTH).matches("/nothing like it"))
                .isFalse();
    }

    @Test
    void takesNoLongerThanLinearOnTextsThatFoolBacktracking() throws Regex.Unusable {
        Regex regex = Regex.compile("/(a+)+$", Anchoring.BOTH);
        assertThat(regex.matches("/" + "a".repeat(8_000) + "b")).isFalse();
    }
}
