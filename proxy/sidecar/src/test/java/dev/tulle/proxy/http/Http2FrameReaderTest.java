package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a frame alone, or its place among header blocks, decides; the same however the bytes are cut. Source: RFC 9113, 4 and 6. */
class Http2FrameReaderTest {
    private static final String SETTINGS = "000000 04 00 00000000";
    private static final int MAX_CONTINUATIONS = 3;
    private static final int MAX_BLOCK = 100;

    /** Writes down what it hears. */
    private static final class Heard implements Http2FrameReader.Frames {
        final List<String> all = new ArrayList<>();
        private final StringBuilder content = new StringBuilder();

        @Override
        public void data(int stream, int size, int content, boolean end) throws Http2Violation {
            all.add("data %d %d %d %s".formatted(stream, size, content, end));
            if (stream == 99) {
                throw Http2Violation.ofStream(99, 5, "not wanted");
            }
        }

        @Override
        public void content(ByteBuf piece, boolean last) {
            content.append(piece.toString(StandardCharsets.ISO_8859_1));
            piece.release();
            if (last) {
                all.add("content " + content);
                content.setLength(0);
            }
        }

        @Override
        public void headers(int stream, byte[] bytes, int from, int to, boolean end) {
            all.add("headers %d %s %s"
                    .formatted(stream, new String(bytes, from, to - from, StandardCharsets.ISO_8859_1), end));
        }

        @Override
        public void reset(int stream, int code) {
            all.add("reset %d %d".formatted(stream, code));
        }

        @Override
        public void setting(int id, long value) {
            all.add("setting %d %d".formatted(id, value));
        }

        @Override
        public void settings(boolean ack) {
            all.add("settings " + ack);
        }

        @Override
        public void ping(boolean ack, long data) {
            all.add("ping %s %x".formatted(ack, data));
        }

        @Override
        public void goAway(int lastStream, int code) {
            all.add("goaway %d %d".formatted(lastStream, code));
        }

        @Override
        public void windowUpdate(int stream, int increment) {
            all.add("window %d %d".formatted(stream, increment));
        }

        @Override
        public void ignored(int type) {
            all.add("ignored " + type);
        }
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    /** Reads frames behind a SETTINGS frame, in pieces of a size; violations are written down, and end it unless of a stream. */
    private static List<String> read(String hex, int piece) {
        return read(hex(SETTINGS + hex), piece, false);
    }

    private static List<String> read(byte[] bytes, int piece, boolean server) {
        Heard heard = new Heard();
        Http2FrameReader reader = new Http2FrameReader(heard, server, MAX_CONTINUATIONS, MAX_BLOCK);
        for (int at = 0; at < bytes.length; at += piece) {
            ByteBuf in = Unpooled.wrappedBuffer(bytes, at, Math.min(piece, bytes.length - at));
            while (in.isReadable()) {
                try {
                    reader.read(in);
                } catch (Http2Violation e) {
                    heard.all.add("violation %d %d".formatted(e.stream(), e.code()));
                    if (e.stream() == 0) {
                        return heard.all.subList(heard.all.contains("settings false") ? 1 : 0, heard.all.size());
                    }
                }
            }
        }
        return heard.all.subList(1, heard.all.size());
    }

    @ParameterizedTest
    @CsvSource({
        // DATA: plain, the end, empty, padded, padding alone
        "000003 00 00 00000001 616263, data 1 3 3 false;content abc",
        "000003 00 01 00000001 616263, data 1 3 3 true;content abc",
        "000000 00 01 00000001, data 1 0 0 true;content ''",
        "000006 00 08 00000001 02 616263 0000, data 1 6 3 false;content abc",
        "000003 00 09 00000001 02 0000, data 1 3 0 true;content ''",
        "000001 00 08 00000001 00, data 1 1 0 false;content ''",
        // the reserved bit counts for nothing, and so do flags that a type does not have
        "000003 00 f6 80000001 616263, data 1 3 3 false;content abc",
        // HEADERS: plain, padded, with priority, with both
        "000003 01 04 00000001 616263, headers 1 abc false",
        "000003 01 05 00000001 616263, headers 1 abc true",
        "000006 01 0c 00000001 02 616263 0000, headers 1 abc false",
        "000008 01 24 00000001 00000003 10 616263, headers 1 abc false",
        "00000b 01 2d 00000001 02 80000003 10 616263 0000, headers 1 abc true",
        "000003 01 01 00000001 616263 000003 09 00 00000001 646566 000001 09 04 00000001 67, headers 1 abcdefg true",
        "000000 01 04 00000001, headers 1 '' false",
        // the others
        "000005 02 00 00000001 00000003 10, ignored 2",
        "000004 03 00 00000001 00000008, reset 1 8",
        "000006 04 00 00000000 0004 00010000, setting 4 65536;settings false",
        "00000c 04 00 00000000 0003 ffffffff 1234 00000001, setting 3 4294967295;setting 4660 1;settings false",
        "000000 04 01 00000000, settings true",
        "000008 06 00 00000000 0102030405060708, ping false 102030405060708",
        "000008 06 01 00000000 ff02030405060708, ping true ff02030405060708",
        "00000a 07 00 00000000 80000005 0000000b 6869, goaway 5 11",
        "000004 08 00 00000000 80000001, window 0 1",
        "000004 08 00 00000003 7fffffff, window 3 2147483647",
        "000003 63 ff 00000003 010203, ignored 99",
    })
    void readsFrames(String hex, String heard) {
        List<String> expected = List.of(heard.replace("''", "").split(";", -1));
        for (int piece : new int[] {1, 2, 5, 9, 10, 11, 1000}) {
            assertThat(read(hex, piece)).as("in pieces of %d", piece).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "000003 00 00 00000000 616263, 1", // DATA without a stream
        "000000 00 08 00000001, 6", // no room for the length of padding
        "000003 00 08 00000001 03 6162, 1", // padding longer than the payload
        "000001 00 08 00000001 01, 1", // as long as the payload
        "004001 00 00 00000001, 6", // longer than allowed
        "000003 01 04 00000000 616263, 1", // HEADERS without a stream
        "000000 01 0c 00000001, 6",
        "000004 01 24 00000001 00000003, 6", // no room for the priority
        "000004 01 0c 00000001 04 616263, 1", // too much padding
        "000005 01 24 00000001 00000001 10, 1", // depends on itself
        "000005 02 00 00000000 00000003 10, 1",
        "000004 03 00 00000000 00000008, 1",
        "000003 03 00 00000001 000000, 6",
        "000005 03 00 00000001 0000000800, 6",
        "000006 04 00 00000001 0004 00010000, 1", // SETTINGS of a stream
        "000005 04 00 00000000 0004 000100, 6",
        "000006 04 01 00000000 0004 00010000, 6", // an acknowledgement that says more
        "000004 05 04 00000001 00000002, 1", // PUSH_PROMISE
        "000008 06 00 00000001 0102030405060708, 1",
        "000007 06 00 00000000 01020304050607, 6",
        "000008 07 00 00000001 0000000500000000, 1",
        "000007 07 00 00000000 00000005000000, 6",
        "000003 08 00 00000000 000001, 6",
        "000005 08 00 00000001 0000000100, 6",
        "000004 08 00 00000000 00000000, 1", // a window opened by nothing
        "000003 09 04 00000001 616263, 1", // CONTINUATION of nothing
        "000001 01 00 00000001 61 000001 09 04 00000003 62, 1", // of another stream
        "000001 01 00 00000001 61 000001 00 00 00000001 62, 1", // DATA in a header block
        "000001 01 00 00000001 61 000000 04 00 00000000, 1",
        "000001 01 00 00000001 61 000001 01 04 00000001 62, 1",
        "000001 01 00 00000001 61 000001 63 00 00000001 62, 1", // even what nobody knows
    })
    void endsTheConnectionAtFramesThatAreWrong(String hex, int code) {
        for (int piece : new int[] {1, 9, 1000}) {
            assertThat(read(hex, piece)).as("in pieces of %d", piece).last().isEqualTo("violation 0 " + code);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "000004 02 00 00000001 00000003, violation 1 6", // PRIORITY of a wrong length
        "000005 02 00 00000001 00000001 10, violation 1 1", // that depends on itself
        "000004 08 00 00000001 00000000, violation 1 1", // a window opened by nothing
        "000006 00 08 00000063 02 616263 0000, data 99 6 3 false;violation 99 5", // what the listener does not want
    })
    void goesOnBehindErrorsOfAStream(String hex, String heard) {
        List<String> expected = new ArrayList<>(List.of(heard.split(";", -1)));
        expected.add("ping false 0");
        for (int piece : new int[] {1, 9, 1000}) {
            assertThat(read(hex + "000008 06 00 00000000 0000000000000000", piece))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"000000 04 01 00000000", "000008 06 00 00000000 0000000000000000", "000003 01 05 00000001 616263"
            })
    void wantsSettingsFirst(String hex) {
        assertThat(read(hex(hex), 1000, false)).containsExactly("violation 0 1");
    }

    @Test
    void wantsThePrefaceOfAClient() {
        String preface = HexFormat.of().formatHex(Http2Wire.PREFACE.getBytes(StandardCharsets.US_ASCII));
        for (int piece : new int[] {1, 5, 1000}) {
            assertThat(read(hex(preface + SETTINGS + "000000 04 01 00000000"), piece, true))
                    .containsExactly("settings true");
            assertThat(read(hex(preface.replace("53", "54")), piece, true)).containsExactly("violation 0 1");
        }
    }

    @Test
    void boundsContinuations() {
        String first = "000001 01 00 00000001 61";
        String more = "000000 09 00 00000001";
        assertThat(read(first + more.repeat(MAX_CONTINUATIONS - 1) + "000000 09 04 00000001", 1000))
                .containsExactly("headers 1 a false");
        assertThat(read(first + more.repeat(MAX_CONTINUATIONS + 1), 1000)).containsExactly("violation 0 11");
        assertThat(read(first + "000064 09 00 00000001" + "62".repeat(100), 1000))
                .containsExactly("violation 0 11");
    }

    @Test
    void saysWhetherABlockHasBegunAndNotEnded() throws Http2Violation {
        Http2FrameReader reader = new Http2FrameReader(new Heard(), false, MAX_CONTINUATIONS, MAX_BLOCK);
        reader.read(Unpooled.wrappedBuffer(hex(SETTINGS)));
        assertThat(reader.isInsideFrame()).isFalse();
        reader.read(Unpooled.wrappedBuffer(hex("000001 01")));
        assertThat(reader.isInsideFrame()).isTrue();
        reader.read(Unpooled.wrappedBuffer(hex("00 00000001")));
        assertThat(reader.isInsideFrame()).isTrue();
        reader.read(Unpooled.wrappedBuffer(hex("61")));
        assertThat(reader.isInsideFrame()).isTrue();
        reader.read(Unpooled.wrappedBuffer(hex("000000 09 04 00000001")));
        assertThat(reader.isInsideFrame()).isFalse();
    }

    @Test
    void passesLongDataOnAsItComesAndShortDataWhole() throws Http2Violation {
        List<Integer> pieces = new ArrayList<>();
        Http2FrameReader reader = new Http2FrameReader(new HeardPieces(pieces), false, MAX_CONTINUATIONS, MAX_BLOCK);
        reader.read(Unpooled.wrappedBuffer(hex(SETTINGS + "001000 00 00 00000001")));
        reader.read(Unpooled.wrappedBuffer(new byte[1000]));
        reader.read(Unpooled.wrappedBuffer(new byte[3096]));
        reader.read(Unpooled.wrappedBuffer(hex("000400 00 00 00000001")));
        reader.read(Unpooled.wrappedBuffer(new byte[1000]));
        reader.read(Unpooled.wrappedBuffer(new byte[24]));
        assertThat(pieces).containsExactly(1000, 3096, 1024);
    }

    private record HeardPieces(List<Integer> pieces, Heard rest) implements Http2FrameReader.Frames {
        HeardPieces(List<Integer> pieces) {
            this(pieces, new Heard());
        }

        @Override
        public void data(int stream, int size, int content, boolean end) {}

        @Override
        public void content(ByteBuf piece, boolean last) {
            pieces.add(piece.readableBytes());
            piece.release();
        }

        @Override
        public void headers(int stream, byte[] bytes, int from, int to, boolean end) {}

        @Override
        public void reset(int stream, int code) {}

        @Override
        public void setting(int id, long value) {}

        @Override
        public void settings(boolean ack) {}

        @Override
        public void ping(boolean ack, long data) {}

        @Override
        public void goAway(int lastStream, int code) {}

        @Override
        public void windowUpdate(int stream, int increment) {}

        @Override
        public void ignored(int type) {}
    }

    @Test
    void hearsTheSameOfAnyBytesHoweverTheyAreCut() {
        Random random = new Random(41);
        String[] good = {
            "000003 00 00 00000001 616263",
            "000006 00 08 00000001 02 616263 0000",
            "000003 01 04 00000001 616263",
            "000001 01 00 00000001 61 000001 09 04 00000001 62",
            "000004 03 00 00000001 00000008",
            "000008 06 00 00000000 0102030405060708",
            "000004 08 00 00000003 00000001",
            "000003 63 ff 00000003 010203"
        };
        for (int i = 0; i < 2000; i++) {
            StringBuilder text = new StringBuilder(SETTINGS);
            for (int frame = random.nextInt(8); frame >= 0; frame--) {
                text.append(good[random.nextInt(good.length)]);
            }
            byte[] bytes = hex(text.toString());
            for (int damage = random.nextInt(3); damage > 0; damage--) {
                bytes[9 + random.nextInt(bytes.length - 9)] = (byte) random.nextInt(random.nextBoolean() ? 256 : 12);
            }
            List<String> whole = read(bytes, 1 << 20, false);
            assertThat(read(bytes, 1 + random.nextInt(12), false)).isEqualTo(whole);
        }
    }
}
