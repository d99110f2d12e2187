package dev.tulle.controller.discovery;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LinesTest {
    private final List<String> heard = new ArrayList<>();

    @Test
    void findsTheSameLinesHoweverTheBytesAreCut() {
        byte[] text = "one\n\ntwö\nthree".getBytes(UTF_8);
        for (int size = 1; size <= text.length; size++) {
            heard.clear();
            Lines lines = new Lines(100);
            for (int at = 0; at < text.length; at += size) {
                Buffer part = Buffer.buffer().appendBytes(text, at, Math.min(size, text.length - at));
                assertThat(take(lines, part)).isTrue();
            }
            assertThat(take(lines, Buffer.buffer("\n"))).isTrue();
            assertThat(heard).as("in parts of %d", size).containsExactly("one", "twö", "three");
        }
    }

    @Test
    void refusesALineBeyondTheBound() {
        assertThat(take(new Lines(3), Buffer.buffer("abc\n"))).isTrue();
        assertThat(take(new Lines(3), Buffer.buffer("abcd\n"))).isFalse();
        assertThat(take(new Lines(3), Buffer.buffer("abcd"))).isFalse();
        Lines lines = new Lines(3);
        assertThat(take(lines, Buffer.buffer("ab"))).isTrue();
        assertThat(take(lines, Buffer.buffer("cd"))).isFalse();
    }

    private boolean take(Lines lines, Buffer bytes) {
        return lines.take(bytes, line -> heard.add(new String(line, UTF_8)));
    }
}
