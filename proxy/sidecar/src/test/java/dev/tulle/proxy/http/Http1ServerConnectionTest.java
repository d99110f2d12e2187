package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.bootstrap.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ResourceLeakDetector;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the strict reader of requests takes, what it refuses, and that nothing of a refused request gets past it. */
class Http1ServerConnectionTest {
    private static final String END = "\r\n\r\n";

    @BeforeAll
    static void watchForLeaks() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    /** Records requests and answers each with an empty 200 when it is whole. */
    private static final class Recorder implements RequestHandler {
        final List<RequestHead> heads = new ArrayList<>();
        final List<String> bodies = new ArrayList<>();

        @Override
        public StreamListener onRequest(RequestHead head, boolean end, ServerStream stream) {
            heads.add(head);
            StringBuilder body = new StringBuilder();
            if (end) {
                whole(stream, body);
            }
            return new StreamListener() {
                @Override
                public void onData(ByteBuf data, boolean last) {
                    body.append(data.toString(StandardCharsets.ISO_8859_1));
                    stream.consumed(data.readableBytes());
                    data.release();
                    if (last) {
                        whole(stream, body);
                    }
                }

                @Override
                public void onTrailers(Fields trailers) {
                    body.append('|').append(trailers);
                    whole(stream, body);
                }

                @Override
                public void onReset(Reset reset) {}

                @Override
                public void onDrained(int bytes) {}
            };
        }

        private void whole(ServerStream stream, StringBuilder body) {
            bodies.add(body.toString());
            stream.respond(new ResponseHead(200, "", Fields.EMPTY, 0), true);
        }
    }

    private record Outcome(List<RequestHead> heads, List<String> bodies, String answers, boolean open) {}

    /** Feeds the text in pieces of a size. */
    private static Outcome feed(String text, int piece) {
        Recorder recorder = new Recorder();
        EmbeddedChannel channel = new EmbeddedChannel(new Http1ServerConnection(recorder, Limits.defaults()));
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        for (int at = 0; at < bytes.length; at += piece) {
            channel.writeInbound(Unpooled.copiedBuffer(bytes, at, Math.min(piece, bytes.length - at)));
        }
        channel.runPendingTasks();
        StringBuilder answers = new StringBuilder();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            answers.append(out.toString(StandardCharsets.ISO_8859_1));
            out.release();
        }
        boolean open = channel.isOpen() && !answers.toString().contains("connection: close");
        channel.finishAndReleaseAll();
        return new Outcome(recorder.heads, recorder.bodies, answers.toString(), open);
    }

    private static String unescaped(String text) {
        return text.replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace("\\0", "\0")
                .replace("\\x7f", "\u007f")
                .replace("\\xff", "\u00ff");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 1000})
    void endsAConnectionThatBeginsInAnotherProtocolWithoutAWord(int piece) {
        Outcome outcome = feed("INVALID CONNECTION PREFACE" + END, piece);
        assertThat(outcome.heads()).isEmpty();
        assertThat(outcome.answers()).isEmpty();
        assertThat(outcome.open()).isFalse();
    }

    @Test
    void answersALaterRequestWithoutVersionAsTheMistakeItIs() {
        Outcome outcome = feed("GET / HTTP/1.1\r\nHost: a" + END + "GET / NONSENSE" + END, 1000);
        assertThat(outcome.heads()).hasSize(1);
        assertThat(outcome.answers()).contains("HTTP/1.1 400 ");
        assertThat(outcome.open()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // framing
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\nContent-Length: 3\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3, 3\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: +3\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: -1\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 0x3\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length:\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1 2\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1234567890123456789\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked, identity\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: \"chunked\"\\r\\n\\r\\n",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding:\\r\\n\\r\\n",
                "POST / HTTP/1.0\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
                // lines
                "GET / HTTP/1.1\\nHost: a\\n\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\rX: b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nX: a\\r\\n b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\n Host: a\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost : a\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost\\t: a\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nno colon\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\n: empty\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nX(y): b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nX\\xff: b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nX: a\\0b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nX: a\\x7fb\\r\\n\\r\\n",
                "\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "\\0GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                " GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                // request line
                "GET /  HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET  / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET\\t/ HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET /a b HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET /a\\xff HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET /a#b HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET / HTTP/1.2\\r\\nHost: a\\r\\n\\r\\n",
                "GET / HTTP/2.0\\r\\nHost: a\\r\\n\\r\\n",
                "GET / http/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET / HTTP/1.1 \\r\\nHost: a\\r\\n\\r\\n",
                "GET /\\r\\nHost: a\\r\\n\\r\\n",
                "GET a HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET * HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET ftp://a/ HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET http:///x HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "GET http://u@a/x HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                "G(T / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
                // host
                "GET / HTTP/1.1\\r\\n\\r\\n",
                "GET / HTTP/1.0\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nHost: a\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost:\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a/b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: u@a\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a:b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a, b\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: [::1\\r\\n\\r\\n",
                // connection
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: Host\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close, content-length\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: Transfer-Encoding\\r\\n\\r\\n",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: X-Forwarded-Client-Cert\\r\\n\\r\\n",
            })
    void refusesWhatTwoReadersCouldUnderstandDifferently(String request) {
        String text = unescaped(request) + "GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n";
        for (int piece : new int[] {1, 7, 10_000}) {
            Outcome outcome = feed(text, piece);
            assertThat(outcome.heads).isEmpty();
            assertThat(outcome.answers)
                    .startsWith("HTTP/1.1 400 ")
                    .contains("connection: close\r\n", "x-tulle-reason: malformed\r\n")
                    .doesNotContain(" 200 ");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\\r\\n",
                ";a\\r\\n",
                "g\\r\\n",
                " 1\\r\\na\\r\\n",
                "1 \\r\\na\\r\\n",
                "1\\na\\r\\n",
                "1;a\\nb\\r\\na\\r\\n",
                "1;a=\"\\0\"\\r\\na\\r\\n",
                "0x1\\r\\na\\r\\n",
                "1\\r\\nab\\r\\n",
                "1\\r\\na\\n",
                "1000000000000000\\r\\n",
                "00000000000000001\\r\\na\\r\\n",
                "1;0123456789012345678901234567890123456789012345678901234567890123456789\\r\\n",
                "0\\r\\nX : y\\r\\n\\r\\n",
                "0\\r\\nX: y\\n\\r\\n",
                "0\\r\\n X: y\\r\\n\\r\\n",
            })
    void refusesChunksThatAreNotExactlyChunks(String body) {
        String text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + unescaped(body)
                + "GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n";
        for (int piece : new int[] {1, 10_000}) {
            Outcome outcome = feed(text, piece);
            assertThat(outcome.heads).hasSize(1);
            assertThat(outcome.bodies).isEmpty();
            assertThat(outcome.answers).startsWith("HTTP/1.1 400 ").doesNotContain(" 200 ");
        }
    }

    @Test
    void refusesConnectAndHeadsThatAreTooLarge() {
        assertThat(feed("CONNECT a:443 HTTP/1.1\r\nHost: a" + END, 100).answers).startsWith("HTTP/1.1 405 ");
        assertThat(feed("GET /" + "a".repeat(9000) + " HTTP/1.1\r\nHost: a" + END, 1000).answers)
                .startsWith("HTTP/1.1 414 ");
        assertThat(feed("GET / HTTP/1.1\r\nHost: a\r\nX: " + "a".repeat(9000) + END, 1000).answers)
                .startsWith("HTTP/1.1 431 ");
        assertThat(feed("GET / HTTP/1.1\r\nHost: a" + ("\r\nX: " + "a".repeat(4000)).repeat(10) + END, 1000).answers)
                .startsWith("HTTP/1.1 431 ");
        assertThat(feed("GET / HTTP/1.1\r\nHost: a" + "\r\nX: b".repeat(100) + END, 1000).answers)
                .startsWith("HTTP/1.1 431 ");
        assertThat(feed("GET / HTTP/1.1\r\nHost: a" + "\r\nX: b".repeat(99) + END, 1000).answers)
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void takesTheFormsThatAreAllowed() {
        Outcome outcome = feed(
                "\r\nGET http://A.example:80/x?y HTTP/1.1\r\nHost: other" + END
                        + "OPTIONS * HTTP/1.1\r\nHost: [::1]:80" + END
                        + "GET http://b?q HTTP/1.1\r\nHost: a" + END
                        + "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked" + END
                        + "A;x=y\r\n0123456789\r\n000\r\n"
                        + "X-T: v\r\nHost: evil\r\n\r\n",
                3);
        assertThat(outcome.heads).extracting(RequestHead::target).containsExactly("/x?y", "*", "/?q", "/");
        assertThat(outcome.heads)
                .extracting(RequestHead::authority)
                .containsExactly("a.example:80", "[::1]:80", "b", "a");
        assertThat(outcome.bodies).containsExactly("", "", "", "0123456789|x-t: v\n");
        assertThat(outcome.open).isTrue();
    }

    @Test
    void readsTheSameWhateverThePiecesAndWritesWhatItReadsTheSame() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            String request = randomRequest(random);
            Outcome whole = feed(request, request.length());
            Outcome pieces = feed(request, 1 + random.nextInt(9));
            assertThat(whole.heads).hasSize(1);
            assertThat(pieces.heads).isEqualTo(whole.heads);
            assertThat(pieces.bodies).isEqualTo(whole.bodies);
            // Written by the encoder and read again it is the same one request.
            RequestHead head = whole.heads.getFirst();
            String body = whole.bodies.getFirst();
            ByteBuf out = Unpooled.buffer();
            Http1Encoder.request(head, body.isEmpty(), out);
            String written = out.toString(StandardCharsets.ISO_8859_1);
            if (Http1Encoder.isChunked(head, body.isEmpty())) {
                written += Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n";
            } else {
                written += body;
            }
            Outcome again = feed(written, written.length());
            assertThat(again.heads).hasSize(1);
            RequestHead read = again.heads.getFirst();
            assertThat(read.fields()).isEqualTo(head.fields());
            assertThat(read.target()).isEqualTo(head.target());
            assertThat(read.authority()).isEqualTo(head.authority());
            assertThat(again.bodies).isEqualTo(whole.bodies);
        }
    }

    private static String randomRequest(Random random) {
        StringBuilder text = new StringBuilder();
        String[] methods = {"GET", "POST", "PUT", "DELETE", "BREW"};
        text.append(methods[random.nextInt(methods.length)]).append(" /");
        for (int i = random.nextInt(20); i > 0; i--) {
            text.append("abc/?&=.%-~".charAt(random.nextInt(11)));
        }
        text.append(" HTTP/1.1\r\nHost: h").append(random.nextInt(9)).append(":80\r\n");
        for (int i = random.nextInt(6); i > 0; i--) {
            text.append("X-").append(random.nextInt(4)).append(random.nextBoolean() ? ": " : ":\t");
            for (int j = random.nextInt(12); j > 0; j--) {
                text.append((char) (random.nextInt(4) == 0 ? 0xa0 + random.nextInt(90) : 0x21 + random.nextInt(0x5d)));
            }
            text.append(random.nextBoolean() ? "\r\n" : "  \r\n");
        }
        int body = random.nextInt(3) == 0 ? 0 : random.nextInt(50);
        if (random.nextBoolean()) {
            text.append("Content-Length: ").append(body).append(END).append("b".repeat(body));
        } else {
            text.append("Transfer-Encoding: chunked").append(END);
            for (int left = body; left > 0; ) {
                int chunk = 1 + random.nextInt(left);
                text.append(Integer.toHexString(chunk))
                        .append("\r\n")
                        .append("b".repeat(chunk))
                        .append("\r\n");
                left -= chunk;
            }
            text.append("0").append(END);
        }
        return text.toString();
    }
}
