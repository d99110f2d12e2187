package dev.tulle.proxy.http;

import dev.tulle.proxy.bootstrap.Limits;
import dev.tulle.proxy.model.JoinToken;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.routing.NormalizedPath;
import dev.tulle.proxy.routing.PathNormalizer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What is fuzzed: each target takes any bytes and throws when something does not hold. {@code FuzzTargetsTest} feeds them the seeds and
 * variations; {@code conformance/fuzz/run} has Jazzer look for more.
 */
public final class FuzzTargets {
    private static final Map<String, Target> TARGETS = new TreeMap<>(Map.of(
            "requests", FuzzTargets::requests,
            "answers", FuzzTargets::answers,
            "frames", FuzzTargets::frames,
            "hpack", FuzzTargets::hpack,
            "first-bytes", FuzzTargets::firstBytes,
            "paths", FuzzTargets::paths,
            "messages", FuzzTargets::messages));

    private static final Limits LIMITS = Limits.defaults();
    private static final String ISO_TOKEN = "[-!#$%&'*+.^_`|~0-9a-z]+";

    private FuzzTargets() {}

    /** Takes any bytes; throws when what must hold does not. */
    interface Target {
        void take(byte[] bytes) throws Exception;
    }

    /** By name. */
    static Map<String, Target> all() {
        return TARGETS;
    }

    /** For Jazzer; which target is said by the system property {@code fuzz.target}. */
    public static void fuzzerTestOneInput(byte[] bytes) throws Exception {
        Objects.requireNonNull(TARGETS.get(System.getProperty("fuzz.target")), "fuzz.target")
                .take(bytes);
    }

    /** Lists the targets, or writes the seeds of one ({@code TARGET FOLDER}) into files. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length == 0) {
            TARGETS.keySet().forEach(System.out::println);
            return;
        }
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        int number = 0;
        for (byte[] seed : seeds(arguments[0])) {
            Files.write(folder.resolve("seed-%03d".formatted(number++)), seed);
        }
    }

    /** The seeds of a target: {@code fuzz-TARGET.txt}, one a line, bytes as ISO 8859-1 with the escapes of Java and {@code \xHH}. */
    static List<byte[]> seeds(String target) throws IOException {
        try (var in = FuzzTargets.class.getResourceAsStream("fuzz-" + target + ".txt")) {
            return new String(Objects.requireNonNull(in, target).readAllBytes(), StandardCharsets.ISO_8859_1)
                    .lines()
                    .filter(line -> !line.startsWith("//"))
                    .map(FuzzTargets::unescaped)
                    .toList();
        }
    }

    private static byte[] unescaped(String line) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char escape = line.charAt(++i);
            switch (escape) {
                case 'r' -> text.append('\r');
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'x' -> {
                    text.append((char) Integer.parseInt(line.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> text.append(escape);
            }
        }
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void check(boolean holds, String what, Object... values) {
        if (!holds) {
            throw new AssertionError(what + ": " + Arrays.deepToString(values));
        }
    }

    // HTTP/1.1 requests: what we accept, the naive reader reads in the same way; and written anew it is the same one
    // request.

    /** A request as far as it came. */
    private static final class Taken {
        private final RequestHead head;
        private final StringBuilder body = new StringBuilder();
        private final List<Fields> trailers = new ArrayList<>();
        private boolean whole;

        Taken(RequestHead head) {
            this.head = head;
        }

        @Override
        public String toString() {
            return "%s %s %s %s".formatted(head, body, trailers, whole);
        }
    }

    private static List<Taken> take(byte[] bytes, int piece) {
        List<Taken> taken = new ArrayList<>();
        RequestHandler handler = (head, end, stream) -> {
            Taken request = new Taken(head);
            taken.add(request);
            if (end) {
                finish(request, stream);
            }
            return new StreamListener() {
                @Override
                public void onData(ByteBuf data, boolean last) {
                    check(!request.whole, "data behind the end");
                    request.body.append(data.toString(StandardCharsets.ISO_8859_1));
                    stream.consumed(data.readableBytes());
                    data.release();
                    if (last) {
                        finish(request, stream);
                    }
                }

                @Override
                public void onTrailers(Fields trailers) {
                    check(!request.whole, "trailers behind the end");
                    request.trailers.add(trailers);
                    finish(request, stream);
                }

                @Override
                public void onReset(Reset reset) {}

                @Override
                public void onDrained(int written) {}
            };
        };
        EmbeddedChannel channel = new EmbeddedChannel(new Http1ServerConnection(handler, LIMITS));
        try {
            for (int at = 0; at < bytes.length && channel.isOpen(); at += piece) {
                channel.writeInbound(Unpooled.copiedBuffer(bytes, at, Math.min(piece, bytes.length - at)));
            }
            channel.runPendingTasks();
            channel.checkException();
        } finally {
            channel.finishAndReleaseAll();
        }
        return taken;
    }

    private static void finish(Taken request, ServerStream stream) {
        request.whole = true;
        stream.respond(new ResponseHead(200, "", Fields.EMPTY, 0), true);
    }

    private static List<Taken> whole(List<Taken> requests) {
        return requests.stream().filter(request -> request.whole).toList();
    }

    /** Requests in these bytes that our reader takes to their end. */
    static int accepted(byte[] bytes) {
        return whole(take(bytes, Math.max(1, bytes.length))).size();
    }

    static void requests(byte[] bytes) {
        List<Taken> ours = whole(take(bytes, Math.max(1, bytes.length)));
        List<NaiveHttp1.Message> naive = NaiveHttp1.requests(new String(bytes, StandardCharsets.ISO_8859_1));
        for (int i = 0; i < ours.size(); i++) {
            Taken request = ours.get(i);
            check(i < naive.size(), "accepted what the naive reader refuses", request.head);
            String[] words = naive.get(i).first().split(" ", 2);
            check(request.head.method().equals(words[0]), "another method", request.head, words[0]);
            check(
                    words[1].endsWith(request.head.target()) || !(words[1].startsWith("/") || words[1].equals("*")),
                    "another target",
                    request.head,
                    words[1]);
            check(request.body.toString().equals(naive.get(i).body()), "another body", request, naive.get(i));
            judge(request.head);
            rewritten(request);
        }
        if (bytes.length < 512) {
            List<Taken> trickled = whole(take(bytes, 1));
            check(trickled.size() == ours.size(), "another number of requests byte by byte", trickled, ours);
            for (int i = 0; i < ours.size(); i++) {
                check(same(trickled.get(i), ours.get(i)), "another request byte by byte", trickled.get(i), ours.get(i));
            }
        }
    }

    private static boolean same(Taken one, Taken other) {
        return one.head.equals(other.head)
                && one.body.toString().contentEquals(other.body)
                && one.trailers.equals(other.trailers);
    }

    private static void judge(RequestHead head) {
        check(head.method().matches("[-!#$%&'*+.^_`|~0-9A-Za-z]+"), "a method", head);
        check(head.target().startsWith("/") || head.target().equals("*"), "a target", head);
        check(head.target().chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#'), "a target", head);
        check(head.authority().matches("[-._~0-9a-z]+(:[0-9]*)?|\\[[0-9a-f:.]+\\](:[0-9]*)?"), "an authority", head);
        head.fields().forEach((name, value) -> {
            check(name.matches(ISO_TOKEN) && !name.contains("_"), "a name", name);
            check(value.chars().noneMatch(c -> (c < ' ' && c != '\t') || c == 0x7f), "a value", value);
            check(
                    !List.of("host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive")
                            .contains(name),
                    "a field of one hop",
                    name);
        });
    }

    private static void rewritten(Taken request) {
        if (!request.trailers.isEmpty()) {
            return;
        }
        byte[] again = written(request);
        List<Taken> taken = take(again, Math.max(1, again.length));
        check(taken.size() == 1 && taken.getFirst().whole, "written anew it is not one request", request, taken);
        RequestHead before = request.head;
        RequestHead after = taken.getFirst().head;
        check(
                after.method().equals(before.method())
                        && after.target().equals(before.target())
                        && after.authority().equals(before.authority())
                        && after.websocket() == before.websocket()
                        && sorted(after.fields()).equals(sorted(before.fields())),
                "written anew it has another head",
                before,
                after);
        check(taken.getFirst().body.toString().contentEquals(request.body), "written anew it has another body");
        check(
                NaiveHttp1.requests(new String(again, StandardCharsets.ISO_8859_1))
                                .size()
                        == 1,
                "written anew the naive reader refuses it");
    }

    private static List<String> sorted(Fields fields) {
        List<String> lines = new ArrayList<>();
        fields.forEach((name, value) -> lines.add(name + ":" + value));
        lines.sort(null);
        return lines;
    }

    private static byte[] written(Taken request) {
        Http1ClientConnection connection = new Http1ClientConnection(new NoPool(), LIMITS, false);
        EmbeddedChannel channel = new EmbeddedChannel(connection);
        try {
            boolean bodyless = request.body.isEmpty() && request.head.length() <= 0;
            ClientStream stream = connection.open(request.head, bodyless, new Answer());
            if (!bodyless) {
                stream.data(Unpooled.copiedBuffer(request.body, StandardCharsets.ISO_8859_1), true);
            }
            channel.runPendingTasks();
            channel.flush();
            return outbound(channel);
        } finally {
            channel.finishAndReleaseAll();
        }
    }

    private static byte[] outbound(EmbeddedChannel channel) {
        ByteBuf all = Unpooled.buffer();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            all.writeBytes(out);
            out.release();
        }
        return Arrays.copyOf(all.array(), all.readableBytes());
    }

    private static final class NoPool implements ConnectionOwner {
        @Override
        public void onRoom(HttpConnection connection) {}

        @Override
        public void onUnusable(HttpConnection connection) {}
    }

    // HTTP/1.1 answers: one answer or a reset, nothing behind it, and what is whole the naive reader reads in the same
    // way.

    private static final class Answer implements ResponseListener {
        private final StringBuilder body = new StringBuilder();
        private int status;
        private boolean whole;
        private boolean over;
        private int interim;

        @Override
        public void onInform(ResponseHead head) {
            check(status == 0 && !over && head.status() < 200, "an interim answer out of place", head);
            check(++interim <= 16, "too many interim answers");
        }

        @Override
        public void onResponse(ResponseHead head, boolean end) {
            check(status == 0 && !over, "a second answer", head);
            status = head.status();
            ended(end);
        }

        @Override
        public void onData(ByteBuf data, boolean end) {
            check(status != 0 && !over, "data out of place");
            body.append(data.toString(StandardCharsets.ISO_8859_1));
            data.release();
            ended(end);
        }

        @Override
        public void onTrailers(Fields trailers) {
            check(status != 0 && !over, "trailers out of place");
            ended(true);
        }

        @Override
        public void onReset(Reset reset) {
            check(!over, "a reset behind the end");
            over = true;
        }

        @Override
        public void onDrained(int bytes) {}

        private void ended(boolean end) {
            if (end) {
                over = true;
                whole = true;
            }
        }
    }

    static void answers(byte[] bytes) {
        boolean head = bytes.length > 0 && bytes[0] == 'h';
        byte[] rest = head ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
        Http1ClientConnection connection = new Http1ClientConnection(new NoPool(), LIMITS, false);
        EmbeddedChannel channel = new EmbeddedChannel(connection);
        Answer answer = new Answer();
        try {
            connection.open(
                    new RequestHead(head ? "HEAD" : "GET", "http", "a", "/", Fields.EMPTY, -1, false), true, answer);
            channel.runPendingTasks();
            channel.writeInbound(Unpooled.copiedBuffer(rest));
            channel.runPendingTasks();
            channel.checkException();
        } finally {
            channel.finishAndReleaseAll();
        }
        check(answer.over, "neither answer nor reset at the end of the connection");
        if (answer.whole) {
            Optional<NaiveHttp1.Message> naive = NaiveHttp1.answer(new String(rest, StandardCharsets.ISO_8859_1), head);
            check(naive.isPresent(), "accepted what the naive reader refuses", answer.status);
            check(naive.get().first().equals(String.valueOf(answer.status)), "another status", naive.get());
            check(naive.get().body().contentEquals(answer.body), "another body", naive.get(), answer.body);
        }
    }

    // HTTP/2: no bytes make us fail inside, and every head that gets through is a clean one.

    static void frames(byte[] bytes) {
        List<RequestHead> heads = new ArrayList<>();
        Http2ServerConnection connection = new Http2ServerConnection(
                (head, end, stream) -> {
                    heads.add(head);
                    Taken request = new Taken(head);
                    if (end) {
                        finish(request, stream);
                    }
                    return new StreamListener() {
                        @Override
                        public void onData(ByteBuf data, boolean last) {
                            stream.consumed(data.readableBytes());
                            data.release();
                            if (last) {
                                finish(request, stream);
                            }
                        }

                        @Override
                        public void onTrailers(Fields trailers) {
                            finish(request, stream);
                        }

                        @Override
                        public void onReset(Reset reset) {}

                        @Override
                        public void onDrained(int written) {}
                    };
                },
                LIMITS);
        EmbeddedChannel channel = new EmbeddedChannel(connection);
        byte[] out;
        try {
            channel.writeInbound(Unpooled.copiedBuffer(Http2Wire.PREFACE, StandardCharsets.US_ASCII));
            channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0}));
            int split = bytes.length == 0 ? 0 : (bytes[0] & 0xff) % (bytes.length + 1);
            channel.writeInbound(Unpooled.copiedBuffer(bytes, 0, split));
            channel.writeInbound(Unpooled.copiedBuffer(bytes, split, bytes.length - split));
            channel.runPendingTasks();
            channel.checkException();
            out = outbound(channel);
        } finally {
            channel.finishAndReleaseAll();
        }
        heads.forEach(FuzzTargets::judge);
        ByteBuffer sent = ByteBuffer.wrap(out);
        while (sent.remaining() >= 9) {
            int lengthAndType = sent.getInt();
            sent.get();
            sent.getInt();
            int length = lengthAndType >>> 8;
            check(length <= sent.remaining(), "half a frame was written");
            if ((lengthAndType & 0xff) == Http2Wire.GOAWAY) {
                int code = sent.getInt(sent.position() + 4);
                check(code != Http2Wire.INTERNAL_ERROR, "it failed inside");
            }
            sent.position(sent.position() + length);
        }
        check(!sent.hasRemaining(), "half a frame was written");
    }

    // Header blocks: two of them one behind the other, the first's length in the first byte; compared with Netty's
    // decoder.

    static void hpack(byte[] bytes) throws Http2Exception {
        if (bytes.length == 0) {
            return;
        }
        int split = 1 + Math.min(bytes[0] & 0xff, bytes.length - 1);
        HpackDecoder ours =
                new HpackDecoder(LIMITS.http().maxHeaderBytes(), LIMITS.http().maxHeaderFieldBytes());
        DefaultHttp2HeadersDecoder theirs = new DefaultHttp2HeadersDecoder(false, 0xffff_ffffL);
        for (int[] block : new int[][] {{1, split}, {split, bytes.length}}) {
            try {
                ours.decode(bytes, block[0], block[1]);
            } catch (Http2Violation e) {
                return;
            }
            Http2Headers expected =
                    theirs.decodeHeaders(1, Unpooled.wrappedBuffer(bytes, block[0], block[1] - block[0]));
            if (ours.isTooLarge()) {
                continue;
            }
            List<String> found = new ArrayList<>();
            for (int i = 0; i < ours.count(); i++) {
                found.add(ours.field(i).name + "=" + ours.field(i).value);
            }
            List<String> wanted = new ArrayList<>();
            expected.forEach(field -> wanted.add(field.getKey() + "=" + field.getValue()));
            found.sort(null);
            wanted.sort(null);
            check(found.equals(wanted), "Netty reads other fields", found, wanted);
        }
    }

    // First bytes: once decided, more bytes change nothing.

    static void firstBytes(byte[] bytes) {
        Detected before = Detected.MORE;
        boolean helloDecided = false;
        String hello = "";
        int step = Math.max(1, bytes.length / 64);
        for (int length = 1; length <= bytes.length; length += step) {
            ByteBuf in = Unpooled.wrappedBuffer(bytes, 0, length);
            Detected now = Detected.of(in);
            check(before == Detected.MORE || before == now, "it was decided otherwise before", before, now, length);
            before = now;
            ClientHello.Read read = ClientHello.read(in, LIMITS.tls().maxClientHelloBytes());
            check(in.readerIndex() == 0, "bytes were consumed");
            check(!helloDecided || hello.equals(read.toString()), "another ClientHello than before", hello, read);
            helloDecided = !(read instanceof ClientHello.Read.More);
            hello = read.toString();
        }
    }

    // Paths: normal is normal, and no reader finds another path in what is forwarded.

    static void paths(byte[] bytes) {
        String target = new String(bytes, StandardCharsets.ISO_8859_1);
        if (!(PathNormalizer.normalize(target) instanceof NormalizedPath.Normal(String normal, String path))
                || normal.equals("*")) {
            return;
        }
        check(
                PathNormalizer.normalize(normal) instanceof NormalizedPath.Normal(String again, String samePath)
                        && again.equals(normal)
                        && samePath.equals(path),
                "not normal the second time",
                target,
                normal);
        check(normal.equals(path) || normal.startsWith(path + "?"), "not the path that was judged", normal, path);
        check(normal.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#'), "characters no target has", normal);
        String read = path;
        for (int round = 0; round < 4; round++) {
            check(
                    read.startsWith("/")
                            && !read.contains("\\")
                            && !read.contains("\0")
                            && (round > 0 || !read.contains("//"))
                            && Arrays.stream(read.split("/", -1))
                                    .map(segment -> segment.split(";", 2)[0])
                                    .noneMatch(segment -> segment.equals(".") || segment.equals("..")),
                    "another path to who decodes it",
                    round,
                    path);
            String decoded = decoded(read);
            check(
                    decoded.chars().filter(c -> c == '/').count()
                            == read.chars().filter(c -> c == '/').count(),
                    "a hidden slash",
                    path);
            read = decoded;
        }
    }

    private static String decoded(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '%' && text.substring(i).matches("(?s)%[0-9A-Fa-f]{2}.*")) {
                out.append((char) Integer.parseInt(text.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                out.append(text.charAt(i));
            }
        }
        return out.toString();
    }

    // Messages of the controller and tokens: read or refused with a sentence, and what is read is written and read
    // again the same.

    static void messages(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try {
            ProxyCodec.decodeToProxy(bytes).ifPresent(message -> {
                try {
                    check(
                            ProxyCodec.decodeToProxy(ProxyCodec.encode(message)).equals(Optional.of(message)),
                            "another message the second time",
                            message);
                } catch (dev.tulle.proxy.model.MalformedMessage e) {
                    throw new AssertionError("what was written is refused: " + message, e);
                }
            });
        } catch (dev.tulle.proxy.model.MalformedMessage e) {
            check(!String.valueOf(e.getMessage()).isEmpty(), "no reason");
        }
        try {
            ProxyCodec.decodeToController(bytes);
        } catch (dev.tulle.proxy.model.MalformedMessage e) {
            check(!String.valueOf(e.getMessage()).isEmpty(), "no reason");
        }
        try {
            ProxyCodec.decodeConfig(text);
        } catch (dev.tulle.proxy.model.MalformedMessage e) {
            check(!String.valueOf(e.getMessage()).isEmpty(), "no reason");
        }
        try {
            JoinToken.parse(text);
        } catch (dev.tulle.proxy.model.MalformedMessage e) {
            check(!String.valueOf(e.getMessage()).isEmpty(), "no reason");
        }
    }
}
