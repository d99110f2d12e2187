package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Bytes that wait keep their order and hold little more than themselves. */
class WaitingBytesTest {
    private final WaitingBytes waiting = new WaitingBytes(0);

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    private String drain() {
        StringBuilder text = new StringBuilder();
        while (!waiting.isEmpty()) {
            ByteBuf piece = waiting.remove();
            text.append(piece.toString(StandardCharsets.US_ASCII));
            piece.release();
        }
        return text.toString();
    }

    @Test
    void holdsSingleBytesInFewBuffersAndLetsGoOfWhereTheyCameFrom() {
        ByteBuf read = bytes("x".repeat(65_536));
        for (int i = 0; i < 65_536; i++) {
            waiting.add(read.readRetainedSlice(1));
        }
        assertThat(read.refCnt()).isEqualTo(1);
        read.release();
        int pieces = 0;
        for (; !waiting.isEmpty(); pieces++) {
            waiting.remove().release();
        }
        assertThat(pieces).isEqualTo(65_536 / WaitingBytes.GATHERED_BYTES);
    }

    @Test
    void keepsTheFirstPiecesApart() {
        WaitingBytes apart = new WaitingBytes(2);
        apart.add(bytes("wiki"));
        apart.add(bytes("pedia"));
        apart.add(bytes("in"));
        apart.add(bytes(" chunks"));
        for (String expected : new String[] {"wiki", "pedia", "in chunks"}) {
            ByteBuf piece = apart.remove();
            assertThat(piece.toString(StandardCharsets.US_ASCII)).isEqualTo(expected);
            piece.release();
        }
        assertThat(apart.isEmpty()).isTrue();
    }

    @Test
    void keepsTheOrderOfShortAndLongPieces() {
        String large = "l".repeat(WaitingBytes.GATHERED_BYTES);
        waiting.add(bytes("a"));
        waiting.add(bytes(large));
        waiting.add(bytes("b"));
        waiting.add(Unpooled.EMPTY_BUFFER);
        waiting.add(bytes("c"));
        assertThat(drain()).isEqualTo("a" + large + "bc");
    }

    @Test
    void keepsAnEmptyPieceWhereNothingElseWaits() {
        waiting.add(Unpooled.EMPTY_BUFFER);
        assertThat(waiting.isEmpty()).isFalse();
        assertThat(drain()).isEmpty();
    }

    @Test
    void addsNothingToAPieceThatWasGivenOver() {
        waiting.add(bytes("first"));
        ByteBuf given = waiting.remove();
        waiting.add(bytes("second"));
        assertThat(given.toString(StandardCharsets.US_ASCII)).isEqualTo("first");
        assertThat(drain()).isEqualTo("second");
        given.release();
    }

    @Test
    void takesOverWhatWaitsElsewhere() {
        WaitingBytes others = new WaitingBytes(0);
        waiting.add(bytes("kept "));
        others.add(bytes("waiting"));
        waiting.addAll(others);
        waiting.add(bytes(" more"));
        assertThat(others.isEmpty()).isTrue();
        assertThat(drain()).isEqualTo("kept waiting more");
    }
}
