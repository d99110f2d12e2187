package dev.tulle.proxy.http;

import java.util.HashMap;
import java.util.Map;

/**
 * One field of a header block, judged once however often a table entry is referred to.
 *
 * <p>Names and values are Latin-1 text. Source: RFC 7541; RFC 9113, 8.2 and 8.3.
 */
final class HpackField {
    /** What a field counts beyond its text. Source: RFC 7541, 4.1. */
    static final int OVERHEAD = 32;

    /** The static table; index 0 is none. Source: RFC 7541, appendix A. */
    private static final HpackField[] STATIC = statics("""
            :authority; :method=GET; :method=POST; :path=/; :path=/index.html; :scheme=http; :scheme=https; :status=200;
            :status=204; :status=206; :status=304; :status=400; :status=404; :status=500; accept-charset;
            accept-encoding=gzip, deflate; accept-language; accept-ranges; accept; access-control-allow-origin; age;
            allow; authorization; cache-control; content-disposition; content-encoding; content-language; content-length;
            content-location; content-range; content-type; cookie; date; etag; expect; expires; from; host; if-match;
            if-modified-since; if-none-match; if-range; if-unmodified-since; last-modified; link; location; max-forwards;
            proxy-authenticate; proxy-authorization; range; referer; refresh; retry-after; server; set-cookie;
            strict-transport-security; transfer-encoding; user-agent; vary; via; www-authenticate
            """);

    private static final Map<String, Integer> STATIC_NAMES = names();

    final String name;
    final String value;
    final Kind kind;

    /** Whether the value has neither control characters nor white space around it. */
    final boolean clean;

    HpackField(String name, Kind kind, String value) {
        this.name = name;
        this.kind = kind;
        this.value = value;
        this.clean = isClean(value);
    }

    /** What a field's name means to whoever reads a head. */
    enum Kind {
        METHOD(true),
        SCHEME(true),
        AUTHORITY(true),
        PATH(true),
        STATUS(true),
        /** A pseudo-header that nobody knows. */
        OTHER_PSEUDO(true),
        REGULAR,
        /** Regular, but has an underscore, which some applications read as a hyphen. */
        UNDERSCORED,
        HOST,
        CONTENT_LENGTH,
        TE,
        /** Belongs to HTTP/1 connections. */
        OF_CONNECTION,
        /** Not a token in lower case. */
        NO_NAME;

        private final boolean pseudo;

        Kind() {
            this(false);
        }

        Kind(boolean pseudo) {
            this.pseudo = pseudo;
        }

        boolean isPseudo() {
            return pseudo;
        }

        static Kind of(String name) {
            if (name.isEmpty()) {
                return NO_NAME;
            }
            if (name.charAt(0) == ':') {
                return switch (name) {
                    case ":method" -> METHOD;
                    case ":scheme" -> SCHEME;
                    case ":authority" -> AUTHORITY;
                    case ":path" -> PATH;
                    case ":status" -> STATUS;
                    default -> OTHER_PSEUDO;
                };
            }
            boolean underscored = false;
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                if (!Http1Text.isToken(c) || (c >= 'A' && c <= 'Z')) {
                    return NO_NAME;
                }
                underscored |= c == '_';
            }
            return switch (name) {
                case "host" -> HOST;
                case "content-length" -> CONTENT_LENGTH;
                case "te" -> TE;
                case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings" ->
                    OF_CONNECTION;
                default -> underscored ? UNDERSCORED : REGULAR;
            };
        }
    }

    /** As tables and limits count it. */
    int size() {
        return name.length() + value.length() + OVERHEAD;
    }

    /** Entries of the static table. */
    static int staticCount() {
        return STATIC.length - 1;
    }

    /** @param index 1 to {@link #staticCount} */
    static HpackField ofStatic(int index) {
        return STATIC[index];
    }

    /** Index of the first static entry with this name; 0 when there is none. */
    static int staticIndex(String name) {
        Integer index = STATIC_NAMES.get(name);
        return index == null ? 0 : index;
    }

    private static boolean isClean(String value) {
        int length = value.length();
        for (int i = 0; i < length; i++) {
            if (!Http1Text.isText((byte) value.charAt(i))) {
                return false;
            }
        }
        return length == 0 || !(isBlank(value.charAt(0)) || isBlank(value.charAt(length - 1)));
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /** @param fields separated by semicolons, a name or {@code name=value} each */
    private static HpackField[] statics(String fields) {
        String[] all = fields.split(";", -1);
        HpackField[] table = new HpackField[1 + all.length];
        table[0] = new HpackField("", Kind.NO_NAME, "");
        for (int i = 0; i < all.length; i++) {
            String[] field = all[i].strip().split("=", 2);
            table[i + 1] = new HpackField(field[0], Kind.of(field[0]), field.length == 1 ? "" : field[1]);
        }
        return table;
    }

    private static Map<String, Integer> names() {
        Map<String, Integer> names = new HashMap<>();
        for (int i = 1; i < STATIC.length; i++) {
            names.putIfAbsent(STATIC[i].name, i);
        }
        return names;
    }
}
