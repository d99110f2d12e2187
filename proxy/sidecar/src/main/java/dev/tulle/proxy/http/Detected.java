package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/** What the first bytes of a client say its connection speaks. Pure. */
public enum Detected {
    /** Cannot be said yet. */
    MORE,
    /** An HTTP/1 request line. */
    HTTP1,
    /** The preface of HTTP/2 with prior knowledge. */
    HTTP2,
    /** The beginning of a TLS record that carries a handshake. */
    TLS,
    /** Nothing known. */
    OPAQUE;

    /** A longer first line is not waited for. */
    public static final int MAX_REQUEST_LINE = 8 * 1024;

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION = " HTTP/1.".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_METHOD = 32;

    /** More white space is nothing that goes before a request. */
    private static final int MAX_BLANKS = 256;

    /** In lower case. Source: the IANA registry of HTTP methods, those in use. */
    private static final Set<String> METHODS = Set.of(
            "get",
            "head",
            "post",
            "put",
            "delete",
            "patch",
            "options",
            "trace",
            "connect",
            "pri",
            "query",
            "search",
            "propfind",
            "proppatch",
            "mkcol",
            "copy",
            "move",
            "lock",
            "unlock",
            "report",
            "link",
            "unlink",
            "purge");

    /**
     * Looks at bytes without moving the reader index. A line is only taken for HTTP once its version is seen: other line protocols
     * begin with words as well. One that is not as it should be, but that an application could take for HTTP all the same, is HTTP too:
     * it must be refused, not passed on unread.
     */
    public static Detected of(ByteBuf in) {
        Detected detected = strict(in);
        return detected == OPAQUE && in.getByte(in.readerIndex()) != 0x16 ? lenient(in) : detected;
    }

    /** Whether bytes that do not decide anything are the beginning of a request, rather than of any word. */
    static boolean couldBeHttp(ByteBuf in) {
        if (strict(in) == MORE && in.indexOf(in.readerIndex(), in.writerIndex(), (byte) ' ') >= 0) {
            return true;
        }
        return lenient(in) == MORE;
    }

    private static Detected strict(ByteBuf in) {
        int from = in.readerIndex();
        int length = in.readableBytes();
        if (length == 0) {
            return MORE;
        }
        if (in.getByte(from) == 0x16) {
            return length == 1 ? MORE : in.getByte(from + 1) == 3 ? TLS : OPAQUE;
        }
        int same = 0;
        while (same < length && same < PREFACE.length && in.getByte(from + same) == PREFACE[same]) {
            same++;
        }
        if (same == PREFACE.length) {
            return HTTP2;
        }
        if (same == length) {
            return MORE;
        }
        return requestLine(in, from, length);
    }

    private static Detected requestLine(ByteBuf in, int from, int length) {
        int at = 0;
        while (at < length && Http1Text.tokenLower(in.getByte(from + at)) != 0) {
            at++;
        }
        if (at > MAX_METHOD || at == 0) {
            return OPAQUE;
        }
        if (at == length) {
            return MORE;
        }
        if (in.getByte(from + at) != ' ') {
            return OPAQUE;
        }
        int target = at + 1;
        at = target;
        while (at < length && in.getByte(from + at) > 0x20 && in.getByte(from + at) != 0x7f) {
            at++;
        }
        if (at == length) {
            return length < MAX_REQUEST_LINE ? MORE : in.getByte(from + target) == '/' ? HTTP1 : OPAQUE;
        }
        for (int i = 0; i < VERSION.length; i++) {
            if (at + i == length) {
                return MORE;
            }
            if (in.getByte(from + at + i) != VERSION[i]) {
                return OPAQUE;
            }
        }
        return at == target ? OPAQUE : HTTP1;
    }

    /** As a parser may read that skips what stands before a method, takes any white space for a space and any case of a method. */
    private static Detected lenient(ByteBuf in) {
        int from = in.readerIndex();
        int length = in.readableBytes();
        int at = 0;
        while (at < length && isBlank(in.getByte(from + at))) {
            at++;
        }
        if (at == length) {
            return at < MAX_BLANKS ? MORE : OPAQUE;
        }
        StringBuilder method = new StringBuilder(MAX_METHOD);
        while (at < length && method.length() <= MAX_METHOD && Http1Text.tokenLower(in.getByte(from + at)) != 0) {
            method.append((char) Http1Text.tokenLower(in.getByte(from + at)));
            at++;
        }
        String word = method.toString();
        if (at == length) {
            return METHODS.stream().anyMatch(known -> known.startsWith(word)) ? MORE : OPAQUE;
        }
        if (!METHODS.contains(word) || !isBlank(in.getByte(from + at))) {
            return OPAQUE;
        }
        int most = Math.min(length, at + MAX_REQUEST_LINE);
        int lineFeed = in.indexOf(from + at, from + most, (byte) '\n');
        if (lineFeed < 0) {
            return most < at + MAX_REQUEST_LINE ? MORE : HTTP1;
        }
        String line = in.toString(from + at, lineFeed - from - at, StandardCharsets.ISO_8859_1);
        return line.toLowerCase(Locale.ROOT).contains("http/") ? HTTP1 : OPAQUE;
    }

    private static boolean isBlank(byte character) {
        return character == ' ' || (character >= '\t' && character <= '\r');
    }
}
