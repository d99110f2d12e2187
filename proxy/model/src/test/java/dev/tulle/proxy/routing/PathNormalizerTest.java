package dev.tulle.proxy.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.tulle.proxy.routing.NormalizedPath.Normal;
import dev.tulle.proxy.routing.NormalizedPath.Reason;
import dev.tulle.proxy.routing.NormalizedPath.Refused;
import java.net.URI;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathNormalizerTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "*",
                "/reviews",
                "/reviews/",
                "/reviews/1?sort=asc&x=%2f..%2f%00",
                "/?",
                "/a?b?c",
                "/a?//../x",
                "/a?q=100%",
                "/a?q=\\",
                "/.well-known/acme",
                "/...",
                "/a/..b/.c/d..",
                "/pkg.Service/Method",
                "/a;v=1/b",
                "/a%20b",
                "/%C3%A4",
                "/%F0%9F%98%80",
                "/%3Fnot-a-query",
                "/100%25",
                "/100%25/x",
                "/a%2520b",
                "/~user/-_.!$&'()*+,=:@|{}",
                "/a%3Bb"
            })
    void leavesAloneWhatNeedsNothing(String target) {
        Normal normal = normal(target);
        assertThat(normal.target()).isSameAs(target);
        assertThat(normal.path()).isEqualTo(target.split("\\?", 2)[0]);
    }

    @Test
    void makesNoNewTextForAPathWithoutQueryThatNeedsNothing() {
        String target = "/reviews/1";
        assertThat(normal(target).path()).isSameAs(target);
    }

    @ParameterizedTest
    @CsvSource({
        "//, /",
        "///a////b//, /a/b/",
        "//evil.example/x, /evil.example/x",
        "/./, /",
        "/., /",
        "/.., /",
        "/../../.., /",
        "/../a, /a",
        "/a/.., /",
        "/a/b/.., /a/",
        "/a/b/../, /a/",
        "/a/., /a/",
        "/a/./b, /a/b",
        "/a/../b, /b",
        "/a//../b, /b",
        "/a/.//../b, /b",
        "/a/b/c/../../d, /a/d",
        "/public/../admin, /admin",
        "/public/%2e%2e/admin, /admin",
        "/public/%2E%2e/admin, /admin",
        "/public/.%2e/admin, /admin",
        "/public/%2e./admin, /admin",
        "/%2e, /",
        "/%61dmin, /admin",
        "/%41%5A%5a%30%2D%5f%7E, /AZZ0-_~",
        "/%c3%a4, /%C3%A4",
        "/%7b, /%7B",
        "/a%3f, /a%3F",
        "/a/%2e%2e?x=/../y, /?x=/../y",
        "/a;x=%2e./b, /a;x=../b",
        "/a//?b//c, /a/?b//c",
        "/ä, /%C3%A4",
        "/x?q=ä, /x?q=%C3%A4",
        "/%E2%98%83/.., /",
    })
    void givesAPathItsOneSpelling(String target, String expected) {
        assertThat(normal(asOctets(target)).target()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "\"\", NOT_A_PATH",
                "reviews, NOT_A_PATH",
                "?x, NOT_A_PATH",
                "http://a/b, NOT_A_PATH",
                "**, NOT_A_PATH",
                "*/, NOT_A_PATH",
                "\\admin, NOT_A_PATH",
                "a:80, NOT_A_PATH",
                "/a%2fb, ENCODED_SEPARATOR",
                "/a%2Fb, ENCODED_SEPARATOR",
                "/public%2f..%2fadmin, ENCODED_SEPARATOR",
                "/public/..%2fadmin, ENCODED_SEPARATOR",
                "/a%5cb, ENCODED_SEPARATOR",
                "/a%5Cb, ENCODED_SEPARATOR",
                "/a\\b, ENCODED_SEPARATOR",
                "/..\\..\\admin, ENCODED_SEPARATOR",
                "/%00, ENCODED_SEPARATOR",
                "/a%00.jpg, ENCODED_SEPARATOR",
                "/a%0d%0aX: y, BAD_CHARACTER",
                "/a%0d%0aX:y, ENCODED_SEPARATOR",
                "/a%7f, ENCODED_SEPARATOR",
                "/a%1F, ENCODED_SEPARATOR",
                "/a#b, BAD_CHARACTER",
                "/#/../admin, BAD_CHARACTER",
                "/a?b#c, BAD_CHARACTER",
                "/a b, BAD_CHARACTER",
                "/a?b c, BAD_CHARACTER",
                "/%, BAD_ENCODING",
                "/%4, BAD_ENCODING",
                "/%zz, BAD_ENCODING",
                "/%4g, BAD_ENCODING",
                "/%u002f, BAD_ENCODING",
                "/%u2215, BAD_ENCODING",
                "/%%32%66, BAD_ENCODING",
                "/%c0%af, BAD_ENCODING",
                "/%C0%AE%C0%AE/, BAD_ENCODING",
                "/%e0%80%af, BAD_ENCODING",
                "/%f0%80%80%af, BAD_ENCODING",
                "/%f8%80%80%80%af, BAD_ENCODING",
                "/%ed%a0%80, BAD_ENCODING",
                "/%f4%90%80%80, BAD_ENCODING",
                "/%c3, BAD_ENCODING",
                "/%c3/%a4, BAD_ENCODING",
                "/%c3a, BAD_ENCODING",
                "/%a4, BAD_ENCODING",
                "/%e2%98, BAD_ENCODING",
                "/%ff, BAD_ENCODING",
                "/a%252fb, DOUBLE_ENCODING",
                "/a%252Fb, DOUBLE_ENCODING",
                "/a%255cb, DOUBLE_ENCODING",
                "/a%2500, DOUBLE_ENCODING",
                "/%252e%252e/admin, DOUBLE_ENCODING",
                "/%252e/admin, DOUBLE_ENCODING",
                "/.%252e/admin, DOUBLE_ENCODING",
                "/a/%25%32%65%25%32%65/b, DOUBLE_ENCODING",
                "/%25%32%66, DOUBLE_ENCODING",
                "/%25252f, DOUBLE_ENCODING",
                "/%2525252525252f, DOUBLE_ENCODING",
                "/%2525252541, DOUBLE_ENCODING",
                "/%252e%252e;x/admin, DOUBLE_ENCODING",
                "/..%253b/admin, DOUBLE_ENCODING",
                "/..;/admin, DOT_SEGMENT_PARAMETER",
                "/a/..;jsessionid=1/admin, DOT_SEGMENT_PARAMETER",
                "/a/.;/admin, DOT_SEGMENT_PARAMETER",
                "/a/..;, DOT_SEGMENT_PARAMETER",
                "/a/%2e%2e;/admin, DOT_SEGMENT_PARAMETER",
                "/a/..%3b/admin, DOT_SEGMENT_PARAMETER",
            })
    void refusesWhatReadersCouldTakeForDifferentPaths(String target, Reason reason) {
        assertThat(PathNormalizer.normalize(target)).isEqualTo(new Refused(reason));
    }

    @Test
    void refusesEveryControlCharacterEverywhere() {
        for (char c = 0; c <= ' '; c++) {
            for (String target : List.of("/" + c, "/a?" + c, "/a/" + c + "/b")) {
                assertThat(PathNormalizer.normalize(target)).isEqualTo(new Refused(Reason.BAD_CHARACTER));
            }
        }
    }

    @Test
    void refusesCharactersThatAnEncoderWouldCutToOtherOnes() {
        // U+010A and U+010D lose their upper byte on the way to ISO 8859-1 and become line ends.
        assertThat(PathNormalizer.normalize("/a\u010d\u010ab")).isEqualTo(new Refused(Reason.BAD_CHARACTER));
        assertThat(PathNormalizer.normalize("/a?\u010d\u010ab")).isEqualTo(new Refused(Reason.BAD_CHARACTER));
        // Full-width digits are digits to Character.digit.
        assertThat(PathNormalizer.normalize("/%\uff12\uff16")).isEqualTo(new Refused(Reason.BAD_CHARACTER));
    }

    @Test
    void refusesAPathBeyondItsLimitAsReceivedAndAsForwarded() {
        String longest = "/" + "a".repeat(PathNormalizer.MAX_PATH - 1);
        assertThat(PathNormalizer.normalize(longest)).isInstanceOf(Normal.class);
        assertThat(PathNormalizer.normalize(longest + "?" + "q".repeat(10_000))).isInstanceOf(Normal.class);
        assertThat(PathNormalizer.normalize(longest + "a")).isEqualTo(new Refused(Reason.PATH_TOO_LONG));
        assertThat(PathNormalizer.normalize("/" + asOctets("ä").repeat(PathNormalizer.MAX_PATH / 2 - 1)))
                .isEqualTo(new Refused(Reason.PATH_TOO_LONG));
    }

    @Test
    void givesAWireWordToEachReason() {
        assertThat(Reason.ENCODED_SEPARATOR.wireName()).isEqualTo("encoded-separator");
    }

    @Test
    void forwardsOnlyPathsThatAreTheirOwnNormalFormHoweverOftenTheyAreDecoded() {
        Random random = new Random(3);
        List<String> pieces = List.of(
                "/",
                "/",
                "//",
                ".",
                "..",
                "%2e",
                "%2E",
                "%25",
                "%2f",
                "%5c",
                "%",
                "2",
                "e",
                "f",
                ";",
                "a",
                "admin",
                "%61",
                "%c3",
                "%a4",
                "\u00c3\u00a4",
                "%00",
                "\\",
                "?",
                "#",
                "%3b",
                "%20",
                " ",
                "%252e",
                "32",
                "%32",
                "5");
        int accepted = 0;
        for (int i = 0; i < 60_000; i++) {
            StringBuilder text = new StringBuilder("/");
            for (int length = random.nextInt(8); length > 0; length--) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            if (PathNormalizer.normalize(text.toString()) instanceof Normal normal) {
                accepted++;
                assertIsSafe(text.toString(), normal);
            }
        }
        assertThat(accepted).isGreaterThan(6_000);
    }

    private static void assertIsSafe(String received, Normal normal) {
        assertThat(PathNormalizer.normalize(normal.target()))
                .as("normal form of %s", received)
                .isEqualTo(normal);
        assertThat(normal.target()).as(received).startsWith(normal.path()).matches("[!-~]+");
        assertThat(normal.path()).as(received).startsWith("/").doesNotContain("//", "?", "#", "\\");
        String decoded = normal.path();
        for (int round = 0; round < 6; round++) {
            for (String segment : decoded.substring(1).split("/", -1)) {
                assertThat(segment.split(";", 2)[0]).as(received).isNotIn(".", "..");
            }
            long slashes = decoded.chars().filter(c -> c == '/').count();
            decoded = decodedNaively(decoded);
            assertThat(decoded.chars().filter(c -> c == '/').count())
                    .as(received)
                    .isEqualTo(slashes);
            assertThat(decoded).as(received).doesNotContain("\\", "\0");
        }
    }

    @Test
    void resolvesDotSegmentsAsTheJdkDoes() {
        Random random = new Random(4);
        List<String> segments = List.of("a", "b", ".", "..", "c.d");
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(7); length >= 0; length--) {
                text.append('/').append(segments.get(random.nextInt(segments.size())));
            }
            if (random.nextBoolean()) {
                text.append('/');
            }
            // The JDK keeps leading /.. segments, which RFC 3986 drops.
            String expected = URI.create(text.toString()).normalize().getRawPath();
            while (expected.startsWith("/..")) {
                expected = expected.substring(3);
            }
            expected = expected.isEmpty() ? "/" : expected;
            String actual = normal(text.toString()).path();
            assertThat(actual.equals("/") ? actual : actual.replaceAll("/$", ""))
                    .as(text.toString())
                    .isEqualTo(expected.equals("/") ? expected : expected.replaceAll("/$", ""));
        }
    }

    /** Decodes each escape once; deliberately not the code under test. */
    private static String decodedNaively(String path) {
        var escape = java.util.regex.Pattern.compile("%([0-9a-fA-F]{2})");
        return escape.matcher(path)
                .replaceAll(found -> java.util.regex.Matcher.quoteReplacement(
                        String.valueOf((char) Integer.parseInt(found.group(1), 16))));
    }

    /** UTF-8 bytes as one character each, as a proxy reads them. */
    private static String asOctets(String text) {
        return new String(
                text.getBytes(java.nio.charset.StandardCharsets.UTF_8), java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    private static Normal normal(String target) {
        return PathNormalizer.normalize(target) instanceof Normal normal ? normal : fail("refused: " + target);
    }
}
