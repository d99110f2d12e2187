package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;

/** Writes HTTP/1.1 heads from the model, with framing and connection fields of our own. Pure. */
final class Http1Encoder {
    private static final byte[] VERSION = ascii(" HTTP/1.1\r\n");
    private static final byte[] HOST = ascii("host: ");
    private static final byte[] CHUNKED = ascii("transfer-encoding: chunked\r\n");
    private static final byte[] LENGTH = ascii("content-length: ");
    private static final byte[] CLOSE = ascii("connection: close\r\n");
    private static final byte[] KEEP_ALIVE = ascii("connection: keep-alive\r\n");
    private static final byte[] TAKES_TRAILERS = ascii("connection: te\r\n");
    private static final byte[] UPGRADE = ascii("connection: upgrade\r\nupgrade: websocket\r\n");
    private static final byte[] UPGRADE_LISTED = ascii("connection: upgrade\r\n");
    private static final byte[] LAST_CHUNK = ascii("0\r\n\r\n");
    private static final int CRLF = ('\r' << 8) | '\n';
    private static final int COLON = (':' << 8) | ' ';

    private Http1Encoder() {}

    /** How the connection goes on, as the head says it. */
    enum Persistence {
        /** HTTP/1.1's default: nothing is said. */
        IMPLIED,
        KEEP_ALIVE,
        CLOSE
    }

    /** Writes a request head; {@code chunked} says how the body will come. */
    static void request(RequestHead head, boolean end, ByteBuf out) {
        out.writeCharSequence(head.method(), StandardCharsets.ISO_8859_1);
        out.writeByte(' ');
        out.writeCharSequence(head.target(), StandardCharsets.ISO_8859_1);
        out.writeBytes(VERSION).writeBytes(HOST);
        out.writeCharSequence(head.authority(), StandardCharsets.ISO_8859_1);
        out.writeShort(CRLF);
        fields(head.fields(), out);
        if (head.websocket()) {
            out.writeBytes(UPGRADE);
        } else if (head.takesTrailers()) {
            out.writeBytes(TAKES_TRAILERS);
        }
        if (isChunked(head, end)) {
            out.writeBytes(CHUNKED);
        } else if (head.length() >= 0 && !head.websocket()) {
            length(head.length(), out);
        } else if (expectsBody(head.method())) {
            length(0, out);
        }
        out.writeShort(CRLF);
    }

    static boolean isChunked(RequestHead head, boolean end) {
        return !end && head.length() < 0;
    }

    private static boolean expectsBody(String method) {
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
    }

    /** Writes the head of a final or informational answer. {@code length} below 0 writes no Content-Length. */
    static void response(
            ResponseHead head, long length, boolean chunked, Persistence persistence, boolean websocket, ByteBuf out) {
        out.writeCharSequence("HTTP/1.1 ", StandardCharsets.ISO_8859_1);
        out.writeByte('0' + head.status() / 100).writeByte('0' + head.status() / 10 % 10);
        out.writeByte('0' + head.status() % 10).writeByte(' ');
        out.writeCharSequence(
                head.reason().isEmpty() ? phrase(head.status()) : head.reason(), StandardCharsets.ISO_8859_1);
        out.writeShort(CRLF);
        fields(head.fields(), out);
        if (chunked) {
            out.writeBytes(CHUNKED);
        } else if (length >= 0) {
            length(length, out);
        }
        if (websocket) {
            out.writeBytes(UPGRADE);
        } else if (persistence == Persistence.CLOSE) {
            out.writeBytes(CLOSE);
        } else if (persistence == Persistence.KEEP_ALIVE) {
            out.writeBytes(KEEP_ALIVE);
        }
        if (head.status() == 426 && head.fields().contains("upgrade")) {
            out.writeBytes(UPGRADE_LISTED);
        }
        out.writeShort(CRLF);
    }

    /** Writes the size line of a chunk. */
    static void chunkSize(int size, ByteBuf out) {
        out.writeCharSequence(Integer.toHexString(size), StandardCharsets.ISO_8859_1);
        out.writeShort(CRLF);
    }

    static void endOfChunk(ByteBuf out) {
        out.writeShort(CRLF);
    }

    /** Writes the end of a chunked body. */
    static void lastChunk(Fields trailers, ByteBuf out) {
        if (trailers.size() == 0) {
            out.writeBytes(LAST_CHUNK);
            return;
        }
        out.writeByte('0').writeShort(CRLF);
        fields(trailers, out);
        out.writeShort(CRLF);
    }

    /** About how many bytes a request head takes. */
    static int estimate(RequestHead head) {
        return estimate(head.fields())
                + head.method().length()
                + head.target().length()
                + head.authority().length();
    }

    /** About how many bytes the fields take. */
    static int estimate(Fields fields) {
        int bytes = 256;
        for (int i = 0; i < fields.size(); i++) {
            bytes += fields.name(i).length() + fields.value(i).length() + 4;
        }
        return bytes;
    }

    private static void fields(Fields fields, ByteBuf out) {
        for (int i = 0; i < fields.size(); i++) {
            ByteBufUtil.writeAscii(out, fields.name(i));
            out.writeShort(COLON);
            out.writeCharSequence(fields.value(i), StandardCharsets.ISO_8859_1);
            out.writeShort(CRLF);
        }
    }

    private static void length(long length, ByteBuf out) {
        out.writeBytes(LENGTH);
        out.writeCharSequence(Long.toString(length), StandardCharsets.ISO_8859_1);
        out.writeShort(CRLF);
    }

    private static String phrase(int status) {
        return switch (status) {
            case 100 -> "Continue";
            case 101 -> "Switching Protocols";
            case 103 -> "Early Hints";
            case 200 -> "OK";
            case 201 -> "Created";
            case 202 -> "Accepted";
            case 204 -> "No Content";
            case 206 -> "Partial Content";
            case 301 -> "Moved Permanently";
            case 302 -> "Found";
            case 304 -> "Not Modified";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 413 -> "Content Too Large";
            case 414 -> "URI Too Long";
            case 429 -> "Too Many Requests";
            case 431 -> "Request Header Fields Too Large";
            case 500 -> "Internal Server Error";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            default -> "";
        };
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
