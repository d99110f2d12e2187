package dev.tulle.proxy.routing;

import dev.tulle.proxy.routing.NormalizedPath.Normal;
import dev.tulle.proxy.routing.NormalizedPath.Reason;
import dev.tulle.proxy.routing.NormalizedPath.Refused;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Gives every path one spelling, so that the path judged is the path forwarded and the path the application sees.
 *
 * <p>Escaped letters, digits and {@code - . _ ~} are decoded, other escapes get upper-case digits, bytes beyond ASCII are
 * escaped, {@code //} is merged, then {@code /./} and {@code /../} are resolved. What another reader could still take for another
 * path is refused, whether a rule asks for the path or not. A query is kept as it is, save bytes beyond ASCII.
 * Source: RFC 3986, sections 5.2.4 and 6.2.2; RFC 3629, section 4.
 */
public final class PathNormalizer {
    /** Longest path, without its query, in characters, as received and as forwarded. */
    public static final int MAX_PATH = 8 << 10;

    /** How often a path is decoded to see what it hides; one that is still encoded then is refused. */
    private static final int MAX_DECODINGS = 4;

    private static final Refused NOT_A_PATH = new Refused(Reason.NOT_A_PATH);
    private static final Refused PATH_TOO_LONG = new Refused(Reason.PATH_TOO_LONG);
    private static final Refused BAD_CHARACTER = new Refused(Reason.BAD_CHARACTER);
    private static final Refused BAD_ENCODING = new Refused(Reason.BAD_ENCODING);
    private static final Refused ENCODED_SEPARATOR = new Refused(Reason.ENCODED_SEPARATOR);
    private static final Refused DOUBLE_ENCODING = new Refused(Reason.DOUBLE_ENCODING);
    private static final Refused DOT_SEGMENT_PARAMETER = new Refused(Reason.DOT_SEGMENT_PARAMETER);

    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private static final byte PLAIN = 0;
    private static final byte SPECIAL = 1;
    private static final byte BEYOND_ASCII = 2;

    /** Spaces, control characters and the mark of a fragment. */
    private static final byte FORBIDDEN = 3;

    private static final byte[] KINDS = kinds();

    private PathNormalizer() {}

    /**
     * Normalises a request target in origin form, or {@code *}.
     *
     * @param target as received, one character a byte (ISO 8859-1); an absolute form has lost its scheme and authority before,
     *     and {@code *} was seen to come with OPTIONS
     * @return for a target that needs nothing, the same String object
     */
    public static NormalizedPath normalize(String target) {
        if (target.equals("*")) {
            return new Normal(target, target);
        }
        if (target.isEmpty() || target.charAt(0) != '/') {
            return NOT_A_PATH;
        }
        int length = target.length();
        int pathEnd = length;
        boolean pathIsNormal = true;
        boolean queryIsNormal = true;
        for (int i = 0; i < length; i++) {
            char c = target.charAt(i);
            byte kind = c < KINDS.length ? KINDS[c] : FORBIDDEN;
            if (kind == PLAIN) {
                continue;
            }
            if (kind == FORBIDDEN) {
                return BAD_CHARACTER;
            }
            if (pathEnd < length) {
                queryIsNormal &= kind != BEYOND_ASCII;
            } else if (c == '?') {
                pathEnd = i;
            } else if (c == '\\') {
                return ENCODED_SEPARATOR;
            } else if (c != '/' || startsOddSegment(target, i + 1)) {
                pathIsNormal = false;
            }
        }
        if (pathEnd > MAX_PATH) {
            return PATH_TOO_LONG;
        }
        String received = target.substring(0, pathEnd);
        String path = received;
        if (!pathIsNormal) {
            StringBuilder spelled = new StringBuilder(pathEnd + 16);
            Refused refused = spell(received, spelled);
            if (refused != null) {
                return refused;
            }
            // Segments that are resolved away are looked at too: another reader could have kept them.
            refused = hidden(resolve(spelled, false));
            if (refused != null) {
                return refused;
            }
            path = resolve(spelled, true);
            if (path.length() > MAX_PATH) {
                return PATH_TOO_LONG;
            }
        }
        if (queryIsNormal && path.equals(received)) {
            return new Normal(target, pathEnd == target.length() ? target : received);
        }
        return new Normal(path + asciiQuery(target, pathEnd), path);
    }

    /** What to look at closer, of the characters that are one byte. */
    private static byte[] kinds() {
        byte[] kinds = new byte[0x100];
        Arrays.fill(kinds, 0, ' ' + 1, FORBIDDEN);
        Arrays.fill(kinds, 0x80, 0x100, BEYOND_ASCII);
        kinds[0x7f] = FORBIDDEN;
        kinds['#'] = FORBIDDEN;
        for (char c : new char[] {'/', '?', '%', '\\'}) {
            kinds[c] = SPECIAL;
        }
        return kinds;
    }

    /** Whether an empty segment or one with a leading dot begins at an index. */
    private static boolean startsOddSegment(String target, int index) {
        return index < target.length() && (target.charAt(index) == '/' || target.charAt(index) == '.');
    }

    /** Writes each character the one way we spell it. */
    private static @Nullable Refused spell(String path, StringBuilder out) {
        Utf8 utf8 = new Utf8();
        for (int i = 0; i < path.length(); i++) {
            int octet = path.charAt(i);
            boolean escaped = octet == '%';
            if (escaped) {
                octet = octetAt(path, i);
                if (octet < 0) {
                    return BAD_ENCODING;
                }
                if (octet == '/' || octet == '\\' || octet < ' ' || octet == 0x7f) {
                    return ENCODED_SEPARATOR;
                }
                i += 2;
            }
            if (!utf8.accepts(octet)) {
                return BAD_ENCODING;
            }
            if (octet >= 0x80 || (escaped && !isUnreserved(octet))) {
                escape(octet, out);
            } else {
                out.append((char) octet);
            }
        }
        return utf8.isComplete() ? null : BAD_ENCODING;
    }

    /**
     * Merges slashes and takes dot segments away; above the root is the root.
     *
     * @param upwards whether two dots take the segment before them away too
     */
    private static String resolve(CharSequence path, boolean upwards) {
        StringBuilder out = new StringBuilder(path.length());
        int end = path.length();
        boolean directory = false;
        for (int start = 1; start <= end; ) {
            int slash = start;
            while (slash < end && path.charAt(slash) != '/') {
                slash++;
            }
            int length = slash - start;
            boolean dot = length == 1 && path.charAt(start) == '.';
            boolean dots = length == 2 && path.charAt(start) == '.' && path.charAt(start + 1) == '.';
            if (dots && upwards) {
                out.setLength(Math.max(0, out.lastIndexOf("/")));
            } else if (length > 0 && !dot && !dots) {
                out.append('/').append(path, start, slash);
            }
            directory = length == 0 || dot || dots;
            start = slash + 1;
        }
        if (directory) {
            out.append('/');
        }
        return out.toString();
    }

    /** Whether a path in our spelling holds separators or dot segments that show only when it is decoded further. */
    private static @Nullable Refused hidden(String path) {
        String decoded = path;
        for (int round = 0; round < MAX_DECODINGS; round++) {
            if (hasDotSegment(decoded)) {
                return round <= 1 ? DOT_SEGMENT_PARAMETER : DOUBLE_ENCODING;
            }
            String next = decoded(decoded);
            if (next == null) {
                return DOUBLE_ENCODING;
            }
            if (next.equals(decoded)) {
                return null;
            }
            decoded = next;
        }
        return DOUBLE_ENCODING;
    }

    /** Decodes every escape once, leaving a lone percent sign; null when that gives a separator or control character. */
    private static @Nullable String decoded(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        StringBuilder out = new StringBuilder(path.length());
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            int octet = c == '%' ? octetAt(path, i) : -1;
            if (octet == '/' || octet == '\\' || (octet >= 0 && octet < ' ') || octet == 0x7f) {
                return null;
            }
            out.append(octet < 0 ? c : (char) octet);
            i += octet < 0 ? 0 : 2;
        }
        return out.toString();
    }

    /** Whether some segment, up to its first semicolon, is one dot or two. */
    private static boolean hasDotSegment(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            int i = slash + 1;
            while (i < path.length() && path.charAt(i) == '.') {
                i++;
            }
            int dots = i - slash - 1;
            if ((dots == 1 || dots == 2) && (i == path.length() || path.charAt(i) == '/' || path.charAt(i) == ';')) {
                return true;
            }
        }
        return false;
    }

    private static String asciiQuery(String target, int from) {
        StringBuilder out = new StringBuilder(target.length() - from);
        for (int i = from; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c > 0x7e) {
                escape(c, out);
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static void escape(int octet, StringBuilder out) {
        out.append('%').append(HEX[octet >> 4]).append(HEX[octet & 0xf]);
    }

    /** The octet whose escape begins at an index, or -1 when that is not two hexadecimal digits. */
    private static int octetAt(String text, int percent) {
        if (percent + 2 >= text.length()) {
            return -1;
        }
        int high = digit(text.charAt(percent + 1));
        int low = digit(text.charAt(percent + 2));
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    /** Value of an ASCII hexadecimal digit, or -1; Character.digit takes digits of other scripts too. */
    private static int digit(char c) {
        if (c >= '0' && c <= '9') {
            return c - '0';
        }
        int letter = c | 0x20;
        return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
    }

    private static boolean isUnreserved(int c) {
        int letter = c | 0x20;
        return (letter >= 'a' && letter <= 'z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '.'
                || c == '_'
                || c == '~';
    }

    /** Follows octets and tells the first that no well-formed UTF-8 text has there. Source: RFC 3629, section 4. */
    private static final class Utf8 {
        private int missing;
        private int low = 0x80;
        private int high = 0xbf;

        boolean accepts(int octet) {
            if (missing > 0) {
                boolean fits = octet >= low && octet <= high;
                missing--;
                low = 0x80;
                high = 0xbf;
                return fits;
            }
            if (octet < 0x80) {
                return true;
            }
            missing = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
            // The second octet is restricted where longer forms, surrogates or numbers above U+10FFFF would begin.
            switch (octet) {
                case 0xe0 -> low = 0xa0;
                case 0xed -> high = 0x9f;
                case 0xf0 -> low = 0x90;
                case 0xf4 -> high = 0x8f;
                default -> {}
            }
            return octet >= 0xc2 && octet <= 0xf4;
        }

        boolean isComplete() {
            return missing == 0;
        }
    }
}
