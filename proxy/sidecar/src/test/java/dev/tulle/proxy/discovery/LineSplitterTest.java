package dev.tulle.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {
    private final List<String> lines = new ArrayList<>();
    private final LineSplitter splitter = new LineSplitter(5, new LineSplitter.Lines() {
        @Override
        public void line(byte[] line) {
            lines.add(new String(line, StandardCharsets.UTF_8));
        }

        @Override
        public void tooLong() {
            lines.add("too long");
        }
    });

    @Test
    void givesTheSameLinesHoweverTheBytesAreCut() {
        byte[] text = "ab\n\ncdefg\r\nhijkl\nmnopqrs\ntu\n".getBytes(StandardCharsets.UTF_8);
        List<String> whole = List.of("ab", "too long", "hijkl", "too long", "tu");
        for (int size = 1; size <= text.length; size++) {
            lines.clear();
            for (int from = 0; from < text.length; from += size) {
                splitter.feed(Unpooled.wrappedBuffer(text, from, Math.min(size, text.length - from)));
            }
            assertThat(lines).as("in pieces of %d", size).isEqualTo(whole);
        }
    }

    @Test
    void keepsAnUnfinishedLine() {
        splitter.feed(Unpooled.copiedBuffer("abc", StandardCharsets.UTF_8));
        assertThat(lines).isEmpty();
        splitter.feed(Unpooled.copiedBuffer("d\n", StandardCharsets.UTF_8));
        assertThat(lines).containsExactly("abcd");
    }
}
