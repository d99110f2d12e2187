package dev.tulle.controller.watch;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tulle.controller.watch.YamlFile.Document;
import dev.tulle.controller.watch.YamlFile.Documents;
import dev.tulle.controller.watch.YamlFile.Unreadable;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class YamlFileTest {
    private static Document only(String text) {
        YamlFile file = YamlFile.read(text);
        assertThat(file).isInstanceOf(Documents.class);
        return ((Documents) file).documents().getFirst();
    }

    private static Unreadable unreadable(String text) {
        YamlFile file = YamlFile.read(text);
        assertThat(file).isInstanceOf(Unreadable.class);
        return (Unreadable) file;
    }

    @ParameterizedTest
    @CsvSource({
        "a: 80, 80",
        "a: '80', '\"80\"'",
        "a: 1.5, 1.5",
        "a: true, true",
        "a: ~, null",
        "a: 2026-01-01T00:00:00Z, '\"2026-01-01T00:00:00Z\"'",
        "a: .inf, '\".inf\"'",
        "a: 1e999999999, '\"1e999999999\"'",
        "a: 0x10, 16",
    })
    void scalarsAreTheValuesTheyLookLike(String text, String json) {
        assertThat(only(text).content().path("a")).hasToString(json);
    }

    @Test
    void everyFieldHasItsLine() {
        Document document = only("# a comment\na:\n- b: 1\n  c: {d: 2}\n");

        assertThat(document.lines())
                .containsEntry("", 2)
                .containsEntry("a", 2)
                .containsEntry("a[0]", 3)
                .containsEntry("a[0].b", 3)
                .containsEntry("a[0].c.d", 4);
    }

    @Test
    void emptyDocumentsAreLeftOut() {
        assertThat(((Documents) YamlFile.read("---\n# nothing\n---\na: 1\n---\n")).documents())
                .hasSize(1);
        assertThat(((Documents) YamlFile.read("")).documents()).isEmpty();
    }

    @Test
    void jsonMayBeIndentedByTabs() {
        JsonNode content =
                only("{\n\t\"a\":\t[1, \"x\\/y\"],\n\t\"b\": \"\\u00e9\"\n}").content();

        assertThat(content).hasToString("{\"a\":[1,\"x/y\"],\"b\":\"é\"}");
    }

    @Test
    void aKeyThatStandsTwiceIsRefusedWithItsPlace() {
        assertThat(unreadable("a:\n  b: 1\n  b: 2\n")).isEqualTo(new Unreadable(3, 3, "a.b", "'b' stands here twice"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a: [1",
                "a: b: c",
                "\ta: 1",
                "a: *nobody",
                "a: 'x",
                "a: !!java.net.URL [x]",
                "? [a]\n: b",
                "\u0000"
            })
    void whatIsNotYamlIsToldAndNeverThrown(String text) {
        Unreadable problem = unreadable(text);

        assertThat(problem.message()).isNotBlank().doesNotContain("\n");
    }

    @Test
    void aLaughingBillionIsRefused() {
        StringBuilder text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) {
            text.append("a%d: &a%d [".formatted(i, i));
            text.append("*a%d, ".formatted(i - 1).repeat(9)).append("*a%d]\n".formatted(i - 1));
        }

        assertThat(unreadable(text.toString()).message()).contains("more than 200000 values");
    }

    @Test
    void aValueInsideItselfIsRefused() {
        assertThat(unreadable("a: &a [*a]").message()).contains("nested deeper");
    }

    @Test
    void depthIsBounded() {
        assertThat(unreadable("[".repeat(5000) + "]".repeat(5000)).message()).isNotBlank();
    }

    @Test
    void severalDocumentsKeepTheirOwnLines() {
        List<Document> documents = ((Documents) YamlFile.read("a: 1\n---\nb: 2\n")).documents();

        assertThat(documents.get(1).lines()).containsEntry("b", 3);
    }
}
