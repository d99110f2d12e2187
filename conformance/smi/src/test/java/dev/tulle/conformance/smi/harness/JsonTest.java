package dev.tulle.conformance.smi.harness;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What counts as read back. */
class JsonTest {
    @Test
    void moreFieldsAreReadBackAndOtherValuesAreNot() {
        assertThat(missing("{a: 1, b: [x, y]}", "{a: 1, b: [x, y], c: added}")).isEmpty();
        assertThat(missing("{port: \"9091\"}", "{port: 9091}")).isEqualTo(".port is 9091, not \"9091\"");
        assertThat(missing("{ports: []}", "{}")).isEqualTo(".ports is absent, not []");
        assertThat(missing("{a: {b: [{c: 1}]}}", "{a: {b: [{c: 2}]}}")).isEqualTo(".a.b[0].c is 2, not 1");
        assertThat(missing("{list: [x]}", "{list: [x, y]}")).startsWith(".list is ");
    }

    private static String missing(String wanted, String found) {
        return String.join(
                "; ",
                Json.missing(Json.yaml(wanted).getFirst(), Json.yaml(found).getFirst(), ""));
    }
}
