package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What first bytes are taken for. */
class DetectedTest {
    private static Detected of(String text) {
        return Detected.of(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @CsvSource({
        "GET / HTTP/1.1, HTTP1",
        "GET / HTTP/1., HTTP1",
        "GET / HTTP/1, MORE",
        "GET /abc, MORE",
        "GET, MORE",
        "P, MORE",
        "PRI * HTTP/2.0, MORE",
        "PRINT x y, OPAQUE",
        "POST /x HTTP/1.0, HTTP1",
        "SET key value, OPAQUE",
        "GET key HTTP/2, MORE",
        "GEX  / HTTP/1.1, OPAQUE",
        "*1, MORE",
        "{\"a\":1}, OPAQUE",
    })
    void tellsHttpFromOtherLines(String text, Detected expected) {
        assertThat(of(text)).isEqualTo(expected);
    }

    /** Applications that forgive take each of these for a request; so we do too, and refuse it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\nGET / HTTP/1.1\r\n",
                "\nGET / HTTP/1.1\r\n",
                " GET / HTTP/1.1\r\n",
                "GET  / HTTP/1.1\r\n",
                "GET\t/ HTTP/1.1\r\n",
                "GET /\tHTTP/1.1\r\n",
                "GET / x HTTP/1.1\r\n",
                "GET / HTTP/1.1 \n",
                "GET / http/1.1\r\n",
                "GET / HTTP/2.0\r\n",
                "get\u000b/ HTTP/1.1\n",
                "GET /\u00e4 HTTP/1.1\r\n",
            })
    void takesForHttpWhatAnApplicationCould(String text) {
        assertThat(of(text)).isEqualTo(Detected.HTTP1);
        for (int length = 1; length < text.length() - 1; length++) {
            assertThat(of(text.substring(0, length))).isIn(Detected.MORE, Detected.HTTP1);
            assertThat(of(text.substring(0, length)) == Detected.HTTP1
                            || Detected.couldBeHttp(
                                    Unpooled.copiedBuffer(text.substring(0, length), StandardCharsets.ISO_8859_1)))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"hello", "PING", "SET a", "get key\r\n", "\u0000", "CONNECT {}\r\n", "CONNECT\naccept:1\n"})
    void doesNotTakeOtherWordsForTheBeginningOfARequest(String text) {
        assertThat(of(text)).isNotEqualTo(Detected.HTTP1);
        assertThat(Detected.couldBeHttp(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1)))
                .isEqualTo(text.equals("SET a"));
    }

    @Test
    void knowsThePrefaceOfHttp2AndTlsRecords() {
        assertThat(of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).isEqualTo(Detected.HTTP2);
        assertThat(of("\u0016")).isEqualTo(Detected.MORE);
        assertThat(of("\u0016\u0003\u0001")).isEqualTo(Detected.TLS);
        assertThat(of("\u0016\u0004")).isEqualTo(Detected.OPAQUE);
        assertThat(of("GET key\r\n")).isEqualTo(Detected.OPAQUE);
        assertThat(of("\0\0\0\u0008")).isEqualTo(Detected.OPAQUE);
    }

    @Test
    void readsAClientHelloWhateverThePieces() {
        byte[] hello = dev.tulle.proxy.outbound.ClientHellos.offering("h2", "tulle-tcp");
        for (int length = 0; length < hello.length; length++) {
            assertThat(ClientHello.read(Unpooled.wrappedBuffer(hello, 0, length), 16 << 10))
                    .isEqualTo(new ClientHello.Read.More());
        }
        assertThat(ClientHello.read(Unpooled.wrappedBuffer(hello), 16 << 10))
                .isEqualTo(new ClientHello.Read.Whole(new ClientHello("shop.example", List.of("h2", "tulle-tcp"))));
        assertThat(ClientHello.read(Unpooled.wrappedBuffer(split(hello, 40)), 16 << 10))
                .isInstanceOf(ClientHello.Read.Whole.class);
    }

    /** The same message in two records. */
    private static byte[] split(byte[] hello, int at) {
        ByteBuf out = Unpooled.buffer();
        out.writeBytes(hello, 0, 3).writeShort(at).writeBytes(hello, 5, at);
        int rest = hello.length - 5 - at;
        out.writeBytes(hello, 0, 3).writeShort(rest).writeBytes(hello, 5 + at, rest);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    @Test
    void refusesAClientHelloThatIsTooLongOrBroken() {
        byte[] hello = dev.tulle.proxy.outbound.ClientHellos.offering("h2");
        assertThat(ClientHello.read(Unpooled.wrappedBuffer(hello), 100)).isEqualTo(new ClientHello.Read.Other());
        byte[] broken = hello.clone();
        broken[9 + 34] = (byte) 0xff;
        assertThat(ClientHello.read(Unpooled.wrappedBuffer(broken), 16 << 10)).isEqualTo(new ClientHello.Read.Other());
    }
}
