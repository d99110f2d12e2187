package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Header blocks: the standard's own examples by their bytes, Netty's codec as a second opinion, and what must be refused. */
class HpackTest {
    private static final int LIST_BYTES = 32 * 1024;
    private static final int FIELD_BYTES = 8 * 1024;

    /** A table of 256 bytes, as the examples of answers have it. */
    private static final String TABLE_OF_256 = "3fe101";

    private final HpackDecoder decoder = new HpackDecoder(LIST_BYTES, FIELD_BYTES);

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    private static List<String> fields(HpackDecoder decoder) {
        List<String> fields = new ArrayList<>();
        for (int i = 0; i < decoder.count(); i++) {
            fields.add(decoder.field(i).name + ": " + decoder.field(i).value);
        }
        return fields;
    }

    private List<String> decode(String hex) throws Http2Violation {
        byte[] bytes = hex(hex);
        decoder.decode(bytes, 0, bytes.length);
        return fields(decoder);
    }

    @Test
    void readsTheExamplesOfSingleFields() throws Http2Violation {
        assertThat(decode("400a637573746f6d2d6b65790d637573746f6d2d686561646572"))
                .containsExactly("custom-key: custom-header");
        assertThat(decode("040c2f73616d706c652f70617468")).containsExactly(":path: /sample/path");
        assertThat(decode("100870617373776f726406736563726574")).containsExactly("password: secret");
        assertThat(decode("82")).containsExactly(":method: GET");
        assertThat(decode("be")).containsExactly("custom-key: custom-header");
    }

    @Test
    void readsTheExamplesOfRequests() throws Http2Violation {
        assertThat(decode("828684410f7777772e6578616d706c652e636f6d"))
                .containsExactly(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com");
        assertThat(decode("828684be58086e6f2d6361636865"))
                .containsExactly(
                        ":method: GET",
                        ":scheme: http",
                        ":path: /",
                        ":authority: www.example.com",
                        "cache-control: no-cache");
        assertThat(decode("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"))
                .containsExactly(
                        ":method: GET",
                        ":scheme: https",
                        ":path: /index.html",
                        ":authority: www.example.com",
                        "custom-key: custom-value");
    }

    @Test
    void readsTheExamplesOfRequestsInHuffmansCode() throws Http2Violation {
        assertThat(decode("828684418cf1e3c2e5f23a6ba0ab90f4ff"))
                .containsExactly(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com");
        assertThat(decode("828684be5886a8eb10649cbf"))
                .containsExactly(
                        ":method: GET",
                        ":scheme: http",
                        ":path: /",
                        ":authority: www.example.com",
                        "cache-control: no-cache");
        assertThat(decode("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"))
                .containsExactly(
                        ":method: GET",
                        ":scheme: https",
                        ":path: /index.html",
                        ":authority: www.example.com",
                        "custom-key: custom-value");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readsTheExamplesOfAnswersWhoseTableEvicts(boolean huffman) throws Http2Violation {
        String[] blocks = huffman
                ? new String[] {
                    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                    "4883640effc1c0bf",
                    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f"
                            + "3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
                }
                : new String[] {
                    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                            + "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                    "4803333037c1c0bf",
                    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b"
                            + "425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31"
                };
        assertThat(decode(TABLE_OF_256 + blocks[0]))
                .containsExactly(
                        ":status: 302",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:21 GMT",
                        "location: https://www.example.com");
        assertThat(decode(blocks[1]))
                .containsExactly(
                        ":status: 307",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:21 GMT",
                        "location: https://www.example.com");
        assertThat(decode(blocks[2]))
                .containsExactly(
                        ":status: 200",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:22 GMT",
                        "location: https://www.example.com",
                        "content-encoding: gzip",
                        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "80", // index 0
                "be", // index beyond the static table, nothing in the dynamic one
                "ff8080808001", // a number of more than 28 bits
                "ff80808080808001", // a number in too many bytes
                "40", // a name that is missing
                "4001", // a name that is cut off
                "400161", // a value that is missing
                "40016102", // a value that is cut off
                "7f", // a number that is cut off
                "3fe21f", // a table larger than 4096
                "8220", // a size behind a field
                "4081ff00", // eight bits of padding
                "40811800", // padding of zeros
                "4084ffffffff00" // the end of a string as a character
            })
    void refusesBlocksThatAreBroken(String hex) {
        assertThatThrownBy(() -> decode(hex)).isInstanceOfSatisfying(Http2Violation.class, violation -> {
            assertThat(violation.code()).isEqualTo(Http2Wire.COMPRESSION_ERROR);
            assertThat(violation.stream()).isZero();
        });
    }

    @Test
    void takesSeveralSizesBeforeTheFirstField() throws Http2Violation {
        assertThat(decode("203fe11f82")).containsExactly(":method: GET");
    }

    @Test
    void forgetsEverythingAtSizeZero() throws Http2Violation {
        decode("4001610162");
        assertThatThrownBy(() -> decode("203fe11fbe")).isInstanceOf(Http2Violation.class);
    }

    @Test
    void holdsNoMoreThanItIsAllowedOfABlockThatRefersToOneEntryWithoutEnd() throws Http2Violation {
        String value = "61".repeat(4000);
        decode("40" + "0161" + "7fa11e" + value);
        decode("be".repeat(60_000));
        assertThat(decoder.isTooLarge()).isTrue();
        assertThat(decoder.count()).isLessThan(10);
        assertThat(decode("be")).hasSize(1);
        assertThat(decoder.isTooLarge()).isFalse();
    }

    @Test
    void saysWhenOneFieldIsTooLong() throws Http2Violation {
        decode("00" + "0161" + "7f" + "8140" + "61".repeat(127 + 1 + 64 * 128));
        assertThat(decoder.isTooLarge()).isTrue();
    }

    @Test
    void agreesWithNettysEncoder() throws Exception {
        Random random = new Random(7541);
        for (int connection = 0; connection < 40; connection++) {
            HpackDecoder ours = new HpackDecoder(1 << 20, 1 << 20);
            DefaultHttp2HeadersEncoder theirs = new DefaultHttp2HeadersEncoder(
                    connection % 2 == 0
                            ? Http2HeadersEncoder.NEVER_SENSITIVE
                            : (name, value) -> value.length() % 3 == 0,
                    false,
                    16,
                    connection % 3 == 0 ? Integer.MAX_VALUE : 0);
            for (int i = 0; i < 40; i++) {
                Http2Headers headers = new DefaultHttp2Headers(false);
                List<String> expected = randomFields(random, headers);
                ByteBuf block = Unpooled.buffer();
                theirs.encodeHeaders(1, headers, block);
                ours.decode(block.array(), 0, block.readableBytes());
                assertThat(fields(ours)).isEqualTo(expected);
            }
        }
    }

    @Test
    void isUnderstoodByNettyAndByItself() throws Exception {
        Random random = new Random(9113);
        for (int connection = 0; connection < 40; connection++) {
            HpackEncoder encoder = new HpackEncoder();
            HpackDecoder ours = new HpackDecoder(1 << 20, 1 << 20);
            DefaultHttp2HeadersDecoder theirs = new DefaultHttp2HeadersDecoder(false, 1 << 20);
            for (int i = 0; i < 60; i++) {
                if (random.nextInt(10) == 0) {
                    encoder.limitTable(random.nextInt(5000));
                    encoder.limitTable(random.nextInt(5000));
                }
                Http2Headers headers = new DefaultHttp2Headers(false);
                List<String> expected = randomFields(random, headers);
                encoder.begin();
                for (var field : headers) {
                    encoder.field(field.getKey().toString(), field.getValue().toString());
                }
                ours.decode(encoder.bytes(), 0, encoder.length());
                assertThat(fields(ours)).isEqualTo(expected);
                Http2Headers read =
                        theirs.decodeHeaders(1, Unpooled.wrappedBuffer(encoder.bytes(), 0, encoder.length()));
                List<String> other = new ArrayList<>();
                read.forEach(field -> other.add(field.getKey() + ": " + field.getValue()));
                assertThat(other).isEqualTo(expected);
            }
        }
    }

    /** Fields of a small vocabulary, so that tables are hit, evicted from and outgrown. */
    private static List<String> randomFields(Random random, Http2Headers into) {
        List<String> fields = new ArrayList<>();
        for (int left = random.nextInt(12); left > 0; left--) {
            String name = switch (random.nextInt(4)) {
                case 0 -> HpackField.ofStatic(15 + random.nextInt(47)).name;
                case 1 -> "cookie";
                default -> "x-" + random.nextInt(30);
            };
            StringBuilder value = new StringBuilder();
            int length = random.nextInt(8) == 0 ? random.nextInt(3000) : random.nextInt(20);
            int kind = random.nextInt(3);
            for (int i = 0; i < length; i++) {
                value.append((char)
                        (kind == 0
                                ? 'a' + random.nextInt(3)
                                : kind == 1 ? 0x20 + random.nextInt(95) : random.nextInt(256)));
            }
            into.add(name, value.toString());
            fields.add(name + ": " + value);
        }
        return fields;
    }

    @Test
    void judgesDamagedBlocksAsNettyDoes() {
        Random random = new Random(16);
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            HpackEncoder encoder = new HpackEncoder();
            encoder.begin();
            Http2Headers headers = new DefaultHttp2Headers(false);
            randomFields(random, headers);
            for (var field : headers) {
                encoder.field(field.getKey().toString(), field.getValue().toString());
                encoder.field(field.getKey().toString(), field.getValue().toString());
            }
            byte[] bytes = new byte[Math.min(encoder.length(), 60)];
            System.arraycopy(encoder.bytes(), 0, bytes, 0, bytes.length);
            for (int damage = random.nextInt(4); damage > 0 && bytes.length > 0; damage--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            String ours = oursOf(bytes);
            assertThat(ours).as(HexFormat.of().formatHex(bytes)).isEqualTo(theirsOf(bytes));
            read += ours.equals("broken") ? 0 : 1;
        }
        assertThat(read).isBetween(2_000, 18_000);
    }

    private static String oursOf(byte[] bytes) {
        HpackDecoder decoder = new HpackDecoder(1 << 20, 1 << 20);
        try {
            decoder.decode(bytes, 0, bytes.length);
            return sorted(fields(decoder));
        } catch (Http2Violation e) {
            return "broken";
        }
    }

    /** Netty hands pseudo-headers out first. */
    private static String sorted(List<String> fields) {
        return fields.stream().sorted().toList().toString();
    }

    private static String theirsOf(byte[] bytes) {
        List<String> fields = new ArrayList<>();
        try {
            new DefaultHttp2HeadersDecoder(false, 1 << 20)
                    .decodeHeaders(1, Unpooled.wrappedBuffer(bytes))
                    .forEach(field -> fields.add(field.getKey() + ": " + field.getValue()));
            return sorted(fields);
        } catch (Http2Exception | RuntimeException e) {
            return "broken";
        }
    }

    @Test
    void putsAFieldIntoTheTableWhenItComesAgain() {
        HpackEncoder encoder = new HpackEncoder();
        List<Integer> lengths = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            encoder.begin();
            encoder.field("x-tenant", "blue");
            lengths.add(encoder.length());
        }
        assertThat(lengths).containsExactly(15, 15, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"authorization", "proxy-authorization", "cookie", "set-cookie"})
    void putsNoSecretIntoATable(String name) {
        HpackEncoder encoder = new HpackEncoder();
        for (int i = 0; i < 3; i++) {
            encoder.begin();
            encoder.field(name, "secret");
            assertThat(encoder.bytes()[0] & 0xf0).isEqualTo(0x10);
            assertThat(encoder.length()).isGreaterThan(6);
        }
        assertThat(encoder.changes()).isZero();
    }

    @Test
    void writesTheShortestFormOfWhatEveryMessageHas() {
        HpackEncoder encoder = new HpackEncoder();
        encoder.begin();
        encoder.method("GET");
        encoder.scheme("http");
        encoder.path("/");
        encoder.status(200);
        assertThat(encoder.length()).isEqualTo(4);
        assertThat(oursOf(java.util.Arrays.copyOf(encoder.bytes(), 4)))
                .isEqualTo("[:method: GET, :path: /, :scheme: http, :status: 200]");
    }
}
