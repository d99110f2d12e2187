package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

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

    /**
     * Looks at bytes without moving the reader index. A line is only taken for HTTP once its version is seen: other line protocols
     * begin with words as well.
     */
    public static Detected of(ByteBuf in) {
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
}
