package dev.tulle.proxy.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the heads of HTTP/1.1 messages, strictly: what RFC 9112 says must be refused is refused, and so is what two readers could
 * understand differently.
 *
 * <p>Pure. A head is given whole, each line ended by CRLF, the empty last line left out; that it has no bare CR, LF or NUL is checked
 * here again. The input array is scratch space: names are put into lower case in place.
 */
final class Http1Heads {
    private static final String UNDERSCORE = "_";

    private Http1Heads() {}

    /** How a body is delimited on the wire. */
    enum Framing {
        NONE,
        LENGTH,
        CHUNKED,
        UNTIL_CLOSE
    }

    /** A request head, and what of it concerns this connection alone. */
    record Request(RequestHead head, Framing framing, boolean http10, boolean keepAlive) {}

    /**
     * An answer's head, and what of it concerns this connection alone.
     *
     * @param namesAbsentBody whether the fields tell of a body where none may come, as answers to HEAD do
     */
    record Response(ResponseHead head, Framing framing, boolean keepAlive, boolean namesAbsentBody) {}

    /**
     * Reads a request.
     *
     * @param bytes the head from index 0
     * @param length of the head
     * @param maxFields fields beyond are refused with 431
     */
    static Request request(byte[] bytes, int length, int maxFields) throws MalformedMessage {
        int lineEnd = lineEnd(bytes, 0, length);
        int methodEnd = 0;
        while (methodEnd < lineEnd && Http1Text.tokenLower(bytes[methodEnd]) != 0) {
            methodEnd++;
        }
        if (methodEnd == 0 || methodEnd > 32 || methodEnd == lineEnd || bytes[methodEnd] != ' ') {
            throw MalformedMessage.badRequest("the request line has no method");
        }
        int targetEnd = methodEnd + 1;
        while (targetEnd < lineEnd && bytes[targetEnd] > 0x20 && bytes[targetEnd] != 0x7f) {
            targetEnd++;
        }
        if (targetEnd == methodEnd + 1 || targetEnd == lineEnd || bytes[targetEnd] != ' ') {
            throw MalformedMessage.badRequest("the request target is empty or has bytes that no target has");
        }
        boolean http11 = Http1Text.same("HTTP/1.1", bytes, targetEnd + 1, lineEnd);
        if (!http11 && !Http1Text.same("HTTP/1.0", bytes, targetEnd + 1, lineEnd)) {
            if (!namesVersion(bytes, targetEnd + 1, lineEnd)) {
                throw MalformedMessage.ofOtherProtocol("the first line does not end with a protocol and its version");
            }
            throw MalformedMessage.badRequest("the version is neither HTTP/1.1 nor HTTP/1.0");
        }
        String method = Http1Text.method(bytes, 0, methodEnd);
        String target = Http1Text.text(bytes, methodEnd + 1, targetEnd);
        Http1Text.checkServed(method);
        Parsed parsed = fields(bytes, lineEnd + 2, length, maxFields, true);
        if (parsed.host == null || parsed.hosts > 1) {
            throw MalformedMessage.badRequest("a request needs exactly one Host");
        }
        if (!Http1Text.isAuthority(parsed.host)) {
            throw MalformedMessage.badRequest("the Host is not a host with an optional port");
        }
        String authority = parsed.host;
        String scheme = "http";
        if (target.charAt(0) != '/' && !(target.equals("*") && method.equals("OPTIONS"))) {
            int colon = target.indexOf("://");
            String given = colon < 0 ? "" : target.substring(0, colon).toLowerCase(Locale.ROOT);
            if (!given.equals("http") && !given.equals("https")) {
                throw MalformedMessage.badRequest("the request target is neither a path nor an http URI");
            }
            scheme = given;
            int pathStart = colon + 3;
            while (pathStart < target.length() && "/?".indexOf(target.charAt(pathStart)) < 0) {
                pathStart++;
            }
            authority = target.substring(colon + 3, pathStart);
            if (!Http1Text.isAuthority(authority)) {
                throw MalformedMessage.badRequest("the request target's authority is not a host with an optional port");
            }
            String rest = target.substring(pathStart);
            target = rest.startsWith("/") ? rest : rest.isEmpty() && method.equals("OPTIONS") ? "*" : "/" + rest;
        }
        if (target.indexOf('#') >= 0) {
            throw MalformedMessage.badRequest("the request target has a fragment");
        }
        if (parsed.chunked && !http11) {
            throw MalformedMessage.badRequest("Transfer-Encoding in HTTP/1.0");
        }
        boolean keepAlive = http11 ? !parsed.close : parsed.keepAlive && !parsed.close;
        boolean websocket = http11
                && parsed.upgradeListed
                && "websocket".equalsIgnoreCase(parsed.upgrade)
                && method.equals("GET")
                && !parsed.chunked
                && parsed.contentLength <= 0;
        if (parsed.trailersTaken && http11) {
            parsed.fields.add("te", "trailers");
        }
        if (!http11) {
            parsed.fields.remove("expect");
        }
        Framing framing = parsed.chunked ? Framing.CHUNKED : parsed.contentLength > 0 ? Framing.LENGTH : Framing.NONE;
        RequestHead head = new RequestHead(
                method,
                scheme,
                authority.toLowerCase(Locale.ROOT),
                target,
                parsed.fields.build(),
                parsed.chunked ? RequestHead.UNKNOWN : parsed.contentLength,
                websocket);
        return new Request(head, framing, !http11, keepAlive);
    }

    /**
     * Reads an answer.
     *
     * @param method of the request it answers
     * @param upgradeAsked whether that request asked for WebSocket
     */
    static Response response(byte[] bytes, int length, int maxFields, String method, boolean upgradeAsked)
            throws MalformedMessage {
        int lineEnd = lineEnd(bytes, 0, length);
        boolean http11 = lineEnd >= 12 && Http1Text.same("HTTP/1.1 ", bytes, 0, 9);
        if (!http11 && !(lineEnd >= 12 && Http1Text.same("HTTP/1.0 ", bytes, 0, 9))) {
            throw MalformedMessage.badRequest("the status line is not one of HTTP/1.1 or HTTP/1.0");
        }
        long status = Http1Text.contentLength(Http1Text.text(bytes, 9, 12));
        if (!ResponseHead.isStatus(status) || (lineEnd > 12 && bytes[12] != ' ')) {
            throw MalformedMessage.badRequest("the status is not a number from 100 to 599");
        }
        for (int i = 12; i < lineEnd; i++) {
            if (!Http1Text.isText(bytes[i])) {
                throw MalformedMessage.badRequest("the reason phrase has control characters");
            }
        }
        String reason = lineEnd > 13 ? Http1Text.text(bytes, 13, lineEnd) : "";
        Parsed parsed = fields(bytes, lineEnd + 2, length, maxFields, false);
        if (parsed.chunked && !http11) {
            throw MalformedMessage.badRequest("Transfer-Encoding in HTTP/1.0");
        }
        boolean keepAlive = http11 ? !parsed.close : parsed.keepAlive && !parsed.close;
        if (status == 101) {
            if (!upgradeAsked || !parsed.upgradeListed || !"websocket".equalsIgnoreCase(parsed.upgrade)) {
                throw MalformedMessage.badRequest("a switch of protocols nobody asked for");
            }
            return new Response(
                    new ResponseHead(101, reason, parsed.fields.build(), RequestHead.UNKNOWN),
                    Framing.UNTIL_CLOSE,
                    false,
                    false);
        }
        boolean promisesBody = parsed.chunked || parsed.contentLength > 0;
        if (status < 200 && promisesBody) {
            throw MalformedMessage.badRequest("an interim answer with a body");
        }
        if (status == 426 && "websocket".equalsIgnoreCase(parsed.upgrade)) {
            // The only protocol one can switch to here. Source: RFC 9110, 15.5.22.
            parsed.fields.add("upgrade", "websocket");
        }
        boolean bodyless = ResponseHead.hasNoBody(method, (int) status);
        Framing framing = bodyless
                ? Framing.NONE
                : parsed.chunked
                        ? Framing.CHUNKED
                        : parsed.contentLength > 0
                                ? Framing.LENGTH
                                : parsed.contentLength == 0 ? Framing.NONE : Framing.UNTIL_CLOSE;
        long declared = parsed.chunked || status < 200 || status == 204 ? RequestHead.UNKNOWN : parsed.contentLength;
        return new Response(
                new ResponseHead((int) status, reason, parsed.fields.build(), declared),
                framing,
                keepAlive && framing != Framing.UNTIL_CLOSE,
                bodyless && promisesBody);
    }

    /** Reads the trailers of a chunked message; those that would mean something before the body are left out. */
    static Fields trailers(byte[] bytes, int length, int maxFields) throws MalformedMessage {
        Fields.Builder trailers = new Fields.Builder();
        int at = 0;
        while (at < length) {
            int end = lineEnd(bytes, at, length);
            int colon = nameEnd(bytes, at, end);
            if (trailers.size() == maxFields) {
                throw new MalformedMessage(431, "more than %d trailers".formatted(maxFields));
            }
            String name = Http1Text.name(bytes, at, colon);
            String value = value(bytes, colon + 1, end);
            if (mayTrail(name)) {
                trailers.add(name, value);
            }
            at = end + 2;
        }
        return trailers.build();
    }

    /** Whether a field may stand behind a body: not framing, routing, authentication or control. Source: RFC 9110, 6.5.1. */
    static boolean mayTrail(String name) {
        return switch (name) {
            case "host",
                    "content-length",
                    "transfer-encoding",
                    "trailer",
                    "te",
                    "connection",
                    "upgrade",
                    "keep-alive",
                    "proxy-connection",
                    "http2-settings",
                    "content-encoding",
                    "content-type",
                    "content-range",
                    "authorization",
                    "proxy-authorization",
                    "cookie",
                    "set-cookie",
                    "cache-control",
                    "expect",
                    "max-forwards",
                    "pragma",
                    "range" -> false;
            default -> !IdentityFields.isIdentity(name) && !name.contains(UNDERSCORE);
        };
    }

    /** What the fields of one head add up to. */
    private static final class Parsed {
        final Fields.Builder fields = new Fields.Builder();

        @Nullable String host;

        int hosts;
        long contentLength = -1;
        boolean chunked;
        boolean close;
        boolean keepAlive;
        boolean upgradeListed;
        boolean trailersTaken;

        @Nullable String upgrade;
    }

    private static Parsed fields(byte[] bytes, int from, int length, int maxFields, boolean request)
            throws MalformedMessage {
        Parsed parsed = new Parsed();
        List<String> connection = new ArrayList<>(0);
        int lengths = 0;
        int encodings = 0;
        int count = 0;
        int at = from;
        while (at < length) {
            int end = lineEnd(bytes, at, length);
            int colon = nameEnd(bytes, at, end);
            if (++count > maxFields) {
                throw new MalformedMessage(431, "more than %d header fields".formatted(maxFields));
            }
            String name = Http1Text.name(bytes, at, colon);
            String value = value(bytes, colon + 1, end);
            switch (name) {
                case "host" -> {
                    if (request) {
                        parsed.host = value;
                        parsed.hosts++;
                    } else {
                        parsed.fields.add(name, value);
                    }
                }
                case "content-length" -> {
                    parsed.contentLength = Http1Text.contentLength(value);
                    if (++lengths > 1 || parsed.contentLength < 0) {
                        throw MalformedMessage.badRequest("Content-Length is not one number of 1 to 18 digits");
                    }
                }
                case "transfer-encoding" -> {
                    parsed.chunked = true;
                    if (++encodings > 1 || !value.equalsIgnoreCase("chunked")) {
                        throw MalformedMessage.badRequest("Transfer-Encoding is not exactly 'chunked'");
                    }
                }
                case "connection" -> addTokens(value, connection);
                case "upgrade" -> parsed.upgrade = parsed.upgrade == null ? value : parsed.upgrade + "," + value;
                case "te" -> parsed.trailersTaken |= listsTrailers(value);
                case "keep-alive", "proxy-connection", "http2-settings" -> {}
                default -> {
                    if (!request || !name.contains(UNDERSCORE)) {
                        parsed.fields.add(name, value);
                    }
                }
            }
            at = end + 2;
        }
        if (lengths > 0 && encodings > 0) {
            throw MalformedMessage.badRequest("Content-Length together with Transfer-Encoding");
        }
        for (String option : connection) {
            switch (option) {
                case "close" -> parsed.close = true;
                case "keep-alive" -> parsed.keepAlive = true;
                case "upgrade" -> parsed.upgradeListed = true;
                case "host", "content-length", "transfer-encoding" ->
                    throw MalformedMessage.badRequest("Connection names a field that is not its own to remove");
                default -> {
                    if (IdentityFields.isIdentity(option)) {
                        throw MalformedMessage.badRequest("Connection names a field that is not its own to remove");
                    }
                    parsed.fields.remove(option);
                }
            }
        }
        return parsed;
    }

    private static void addTokens(String value, List<String> tokens) throws MalformedMessage {
        for (String token : value.split(",", -1)) {
            String trimmed = token.strip();
            if (trimmed.isEmpty()) {
                continue;
            }
            if (!Http1Text.isToken(trimmed)) {
                throw MalformedMessage.badRequest("Connection is not a list of names");
            }
            tokens.add(trimmed.toLowerCase(Locale.ROOT));
        }
    }

    private static boolean listsTrailers(String value) {
        for (String coding : value.split(",", -1)) {
            if (coding.strip().equalsIgnoreCase("trailers")) {
                return true;
            }
        }
        return false;
    }

    /** Whether the end of a request line means to name a protocol and its version, however badly. */
    private static boolean namesVersion(byte[] bytes, int from, int end) {
        String named = new String(bytes, from, end - from, StandardCharsets.ISO_8859_1);
        return named.contains("/") || named.toUpperCase(Locale.ROOT).contains("HTTP");
    }

    /** Index of the CR that ends the line at {@code from}. */
    private static int lineEnd(byte[] bytes, int from, int length) throws MalformedMessage {
        for (int i = from; i + 1 < length; i++) {
            if (bytes[i] == '\r') {
                if (bytes[i + 1] != '\n') {
                    throw MalformedMessage.badRequest("a CR without LF");
                }
                return i;
            }
            if (bytes[i] == '\n') {
                throw MalformedMessage.badRequest("an LF without CR");
            }
        }
        throw MalformedMessage.badRequest("a line without end");
    }

    /** Index of the colon behind the name at {@code from}, which is put into lower case. */
    private static int nameEnd(byte[] bytes, int from, int end) throws MalformedMessage {
        int at = from;
        while (at < end) {
            byte lower = Http1Text.tokenLower(bytes[at]);
            if (lower == 0) {
                break;
            }
            bytes[at++] = lower;
        }
        if (at == from || at == end || bytes[at] != ':') {
            throw MalformedMessage.badRequest("a header line without a proper name and colon");
        }
        return at;
    }

    private static String value(byte[] bytes, int from, int end) throws MalformedMessage {
        int begin = from;
        int stop = end;
        while (begin < stop && (bytes[begin] == ' ' || bytes[begin] == '\t')) {
            begin++;
        }
        while (stop > begin && (bytes[stop - 1] == ' ' || bytes[stop - 1] == '\t')) {
            stop--;
        }
        for (int i = begin; i < stop; i++) {
            if (!Http1Text.isText(bytes[i])) {
                throw MalformedMessage.badRequest("a header value has control characters");
            }
        }
        return Http1Text.text(bytes, begin, stop);
    }
}
