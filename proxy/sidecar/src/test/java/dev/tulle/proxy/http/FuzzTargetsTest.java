package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every fuzz target holds for its seeds, and for some thousand variations of them that are the same in each run. */
class FuzzTargetsTest {
    private static final int VARIATIONS = 3_000;
    private static final long SEED = 20_261_121;

    /** What variations are made of, beside the seeds. */
    private static final List<String> WORDS = List.of(
            "\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            "\0",
            ":",
            ";",
            ",",
            "0",
            "1",
            "f",
            "\r\n\r\n",
            "0\r\n\r\n",
            "chunked",
            "HTTP/1.1",
            "HTTP/1.0",
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "content-length: 1\r\n",
            "transfer-encoding: chunked\r\n",
            "connection: close\r\n",
            "expect: 100-continue\r\n",
            "host: a\r\n",
            "_",
            "%2e",
            "%2f",
            "%",
            "..",
            "/",
            "//",
            "\u00ff",
            "\u0080",
            "\u007f",
            "te: trailers\r\n",
            "{",
            "}",
            "[",
            "\"",
            "null",
            "-1",
            "1e9");

    @BeforeAll
    static void watchForLeaks() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    @TestFactory
    Stream<DynamicTest> holdsForEverySeed() {
        return FuzzTargets.all().entrySet().stream()
                .map(target -> DynamicTest.dynamicTest(target.getKey(), () -> {
                    for (byte[] seed : FuzzTargets.seeds(target.getKey())) {
                        attempt(target.getValue(), seed);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> holdsForVariations() {
        return FuzzTargets.all().entrySet().stream()
                .map(target -> DynamicTest.dynamicTest(target.getKey(), () -> {
                    Random random = new Random(SEED);
                    List<byte[]> seeds = FuzzTargets.seeds(target.getKey());
                    for (int i = 0; i < VARIATIONS; i++) {
                        byte[] bytes = seeds.get(random.nextInt(seeds.size()));
                        for (int change = random.nextInt(6); change >= 0; change--) {
                            bytes = varied(bytes, seeds.get(random.nextInt(seeds.size())), random);
                        }
                        attempt(target.getValue(), bytes);
                    }
                }));
    }

    /** Else the comparison with another reader would prove nothing. */
    @Test
    void theSeedsAreAcceptedOftenEnough() throws Exception {
        int whole = 0;
        for (byte[] seed : FuzzTargets.seeds("requests")) {
            whole += NaiveHttp1.requests(new String(seed, StandardCharsets.ISO_8859_1))
                    .size();
        }
        assertThat(whole).isGreaterThan(10);
    }

    private static void attempt(FuzzTargets.Target target, byte[] bytes) {
        try {
            target.take(bytes);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("for " + escaped(bytes), e);
        }
    }

    private static byte[] varied(byte[] bytes, byte[] other, Random random) {
        int at = random.nextInt(bytes.length + 1);
        int to = at + random.nextInt(Math.min(16, bytes.length - at) + 1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, at);
        switch (random.nextInt(6)) {
            case 0 -> {
                // Left out.
            }
            case 1 -> out.writeBytes(WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.ISO_8859_1));
            case 2 -> {
                out.write(random.nextInt(256));
                to = Math.min(bytes.length, at + 1);
            }
            case 3 -> {
                out.write(bytes, at, to - at);
                to = at;
            }
            case 4 -> {
                int from = random.nextInt(other.length + 1);
                out.writeBytes(Arrays.copyOfRange(other, from, other.length));
                to = bytes.length;
            }
            default -> {
                out.writeBytes(WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.ISO_8859_1));
                to = at;
            }
        }
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }

    private static String escaped(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte octet : bytes) {
            if (octet >= ' ' && octet < 0x7f && octet != '\\') {
                text.append((char) octet);
            } else {
                text.append("\\x%02x".formatted(octet & 0xff));
            }
        }
        return text.toString();
    }
}
