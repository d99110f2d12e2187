package dev.tulle.proxy.http;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What bytes may stand where in HTTP/1.1, and the names that come up all the time. Source: RFC 9110, 5; RFC 9112. */
final class Http1Text {
    private static final int NAME_SLOTS = 1024;

    /** Lower-case form of the characters of a token; 0 for all others. */
    private static final byte[] TOKEN = new byte[256];

    private static final String[] NAMES = new String[NAME_SLOTS];
    private static final String[] METHODS = {"GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"};

    static {
        for (char c = '0'; c <= '9'; c++) {
            TOKEN[c] = (byte) c;
        }
        for (char c = 'a'; c <= 'z'; c++) {
            TOKEN[c] = (byte) c;
            TOKEN[c - 'a' + 'A'] = (byte) c;
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN[c] = (byte) c;
        }
        String common = "host content-length transfer-encoding connection accept accept-encoding accept-language "
                + "user-agent content-type content-encoding content-language cookie set-cookie cache-control date server "
                + "etag last-modified if-none-match if-modified-since location vary referer origin authorization pragma "
                + "expires range accept-ranges content-range upgrade te trailer keep-alive expect via age allow "
                + "x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-client-cert x-request-id traceparent "
                + "tracestate b3 x-b3-traceid x-b3-spanid x-b3-sampled grpc-timeout grpc-status grpc-message "
                + "grpc-encoding grpc-accept-encoding x-tulle-reason strict-transport-security link status "
                + "sec-websocket-key sec-websocket-version sec-websocket-accept sec-websocket-extensions "
                + "sec-websocket-protocol access-control-allow-origin x-content-type-options x-frame-options";
        for (String name : common.split(" ", -1)) {
            NAMES[slot(hash(name.getBytes(StandardCharsets.ISO_8859_1), 0, name.length()))] = name;
        }
    }

    private Http1Text() {}

    static boolean isToken(int character) {
        return character < 256 && TOKEN[character] != 0;
    }

    /** Lower-case form of a token character; 0 for any other byte. */
    static byte tokenLower(byte character) {
        return TOKEN[character & 0xff];
    }

    /** A visible character, space, tab or a byte above ASCII: what may stand in a value. */
    static boolean isText(byte character) {
        return character >= 0x20 ? character != 0x7f : character < 0 || character == '\t';
    }

    static boolean isToken(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!isToken(text.charAt(i))) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** The name in these bytes, which must be in lower case; common ones are not allocated. */
    static String name(byte[] bytes, int from, int to) {
        String known = NAMES[slot(hash(bytes, from, to))];
        return known != null && same(known, bytes, from, to) ? known : text(bytes, from, to);
    }

    static String method(byte[] bytes, int from, int to) {
        for (String method : METHODS) {
            if (same(method, bytes, from, to)) {
                return method;
            }
        }
        return text(bytes, from, to);
    }

    /** Refuses CONNECT, and TRACE, whose answer would show a caller the identity fields that are added on the way. */
    static void checkServed(String method) throws MalformedMessage {
        if (method.equals("CONNECT") || method.equals("TRACE")) {
            throw new MalformedMessage(405, method + " is not served here");
        }
    }

    static String text(byte[] bytes, int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    static boolean same(String text, byte[] bytes, int from, int to) {
        if (text.length() != to - from) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != (char) (bytes[from + i] & 0xff)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether this may be the authority of a request: host name, IPv4 address or bracketed IPv6 address, then a port or none.
     * User information is refused.
     */
    static boolean isAuthority(@Nullable String text) {
        if (text == null || text.isEmpty() || text.length() > 512) {
            return false;
        }
        int end = text.length();
        int at = 0;
        if (text.charAt(0) == '[') {
            at = text.indexOf(']');
            if (at < 3) {
                return false;
            }
            for (int i = 1; i < at; i++) {
                char c = text.charAt(i);
                if (c > 0x7f || (c != ':' && c != '.' && Character.digit(c, 16) < 0)) {
                    return false;
                }
            }
            at++;
        } else {
            while (at < end && text.charAt(at) != ':') {
                char c = text.charAt(at);
                boolean letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
                if (!letterOrDigit && c != '.' && c != '-' && c != '_' && c != '~') {
                    return false;
                }
                at++;
            }
            if (at == 0) {
                return false;
            }
        }
        if (at == end) {
            return true;
        }
        if (text.charAt(at) != ':' || end - at > 6) {
            return false;
        }
        int port = 0;
        for (int i = at + 1; i < end; i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
            port = port * 10 + text.charAt(i) - '0';
        }
        return port <= 0xffff;
    }

    /** The number in a Content-Length, or -1 unless it is 1 to 18 digits. */
    static long contentLength(String value) {
        if (value.isEmpty() || value.length() > 18) {
            return -1;
        }
        long number = 0;
        for (int i = 0; i < value.length(); i++) {
            int digit = value.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    private static int hash(byte[] bytes, int from, int to) {
        int hash = to - from;
        for (int i = from; i < to; i++) {
            hash = hash * 31 + bytes[i];
        }
        return hash;
    }

    private static int slot(int hash) {
        return (hash ^ (hash >>> 11)) & (NAME_SLOTS - 1);
    }
}
