package dev.tulle.proxy.http;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes the header blocks of HTTP/2, as strictly as {@link Http1Heads} does those of HTTP/1.1. Pure. Source: RFC 9113, 8.
 */
final class Http2Heads {
    private Http2Heads() {}

    /** Reads a request; throws with status 400 for a stream error, with another one for that answer. */
    static RequestHead request(Http2Headers headers, boolean end, int maxFields) throws MalformedMessage {
        String method = null;
        String scheme = null;
        String authority = null;
        String path = null;
        String host = null;
        long length = RequestHead.UNKNOWN;
        boolean regular = false;
        Fields.Builder fields = new Fields.Builder();
        int count = 0;
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            String name = header.getKey().toString();
            String value = header.getValue().toString();
            checkValue(value);
            if (name.startsWith(":")) {
                if (regular) {
                    throw MalformedMessage.badRequest("a pseudo-header behind other fields");
                }
                switch (name) {
                    case ":method" -> method = once(method, value);
                    case ":scheme" -> scheme = once(scheme, value);
                    case ":authority" -> authority = once(authority, value);
                    case ":path" -> path = once(path, value);
                    default -> throw MalformedMessage.badRequest("an unknown pseudo-header");
                }
                continue;
            }
            regular = true;
            checkName(name);
            if (++count > maxFields) {
                throw new MalformedMessage(431, "more than %d header fields".formatted(maxFields));
            }
            switch (name) {
                case "host" -> host = once(host, value);
                case "content-length" -> {
                    if (length >= 0) {
                        throw MalformedMessage.badRequest("Content-Length twice");
                    }
                    length = contentLength(value);
                }
                case "te" -> {
                    if (!value.equals("trailers")) {
                        throw MalformedMessage.badRequest("te is not 'trailers'");
                    }
                    fields.add(name, value);
                }
                default -> {
                    if (name.indexOf('_') < 0) {
                        fields.add(name, value);
                    }
                }
            }
        }
        if (method == null || !Http1Text.isToken(method)) {
            throw MalformedMessage.badRequest("no method");
        }
        Http1Text.checkServed(method);
        if (scheme == null || !(scheme.equals("http") || scheme.equals("https"))) {
            throw MalformedMessage.badRequest("the scheme is neither http nor https");
        }
        if (path == null || !isTarget(path, method)) {
            throw MalformedMessage.badRequest("the path is no path");
        }
        if (authority != null && host != null && !authority.equalsIgnoreCase(host)) {
            throw MalformedMessage.badRequest("a Host that differs from :authority");
        }
        String named = authority != null ? authority : host;
        if (named == null || !Http1Text.isAuthority(named)) {
            throw MalformedMessage.badRequest("the authority is not a host with an optional port");
        }
        if (end && length > 0) {
            throw MalformedMessage.badRequest("Content-Length of a request without body");
        }
        return new RequestHead(method, scheme, named.toLowerCase(Locale.ROOT), path, fields.build(), length, false);
    }

    /** Reads the head of an answer, informational ones too. */
    static ResponseHead response(Http2Headers headers, int maxFields) throws MalformedMessage {
        String status = null;
        long length = RequestHead.UNKNOWN;
        boolean regular = false;
        Fields.Builder fields = new Fields.Builder();
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            String name = header.getKey().toString();
            String value = header.getValue().toString();
            checkValue(value);
            if (name.startsWith(":")) {
                if (regular || !name.equals(":status")) {
                    throw MalformedMessage.badRequest("a pseudo-header out of place");
                }
                status = once(status, value);
                continue;
            }
            regular = true;
            checkName(name);
            if (fields.size() >= maxFields) {
                throw MalformedMessage.badRequest("more than %d header fields".formatted(maxFields));
            }
            if (name.equals("content-length")) {
                if (length >= 0) {
                    throw MalformedMessage.badRequest("Content-Length twice");
                }
                length = contentLength(value);
            } else {
                fields.add(name, value);
            }
        }
        long number = status == null || status.length() != 3 ? -1 : Http1Text.contentLength(status);
        if (!ResponseHead.isStatus(number) || number == 101) {
            throw MalformedMessage.badRequest("the status is not a number from 100 to 599, or 101");
        }
        return new ResponseHead((int) number, "", fields.build(), length);
    }

    /** Reads trailers; of a request those that would mean something before the body are left out. */
    static Fields trailers(Http2Headers headers, boolean ofRequest, int maxFields) throws MalformedMessage {
        Fields.Builder fields = new Fields.Builder();
        int count = 0;
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            String name = header.getKey().toString();
            String value = header.getValue().toString();
            checkName(name);
            checkValue(value);
            if (++count > maxFields) {
                throw MalformedMessage.badRequest("more than %d trailers".formatted(maxFields));
            }
            if (!ofRequest || Http1Heads.mayTrail(name)) {
                fields.add(name, value);
            }
        }
        return fields.build();
    }

    static Http2Headers write(RequestHead head) {
        Http2Headers headers = new DefaultHttp2Headers(false, head.fields().size() + 5)
                .method(head.method())
                .scheme(head.scheme())
                .authority(head.authority())
                .path(head.target());
        if (head.length() >= 0) {
            headers.add("content-length", Long.toString(head.length()));
        }
        return add(headers, head.fields());
    }

    static Http2Headers write(ResponseHead head) {
        Http2Headers headers =
                new DefaultHttp2Headers(false, head.fields().size() + 2).status(Integer.toString(head.status()));
        if (head.length() >= 0 && head.status() >= 200 && head.status() != 204) {
            headers.add("content-length", Long.toString(head.length()));
        }
        return add(headers, head.fields());
    }

    static Http2Headers write(Fields trailers) {
        return add(new DefaultHttp2Headers(false, trailers.size()), trailers);
    }

    private static Http2Headers add(Http2Headers headers, Fields fields) {
        for (int i = 0; i < fields.size(); i++) {
            headers.add(fields.name(i), fields.value(i));
        }
        return headers;
    }

    private static boolean isTarget(String path, String method) {
        if (path.isEmpty() || (path.charAt(0) != '/' && !(path.equals("*") && method.equals("OPTIONS")))) {
            return false;
        }
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c <= 0x20 || c >= 0x7f || c == '#') {
                return false;
            }
        }
        return true;
    }

    private static String once(@Nullable String before, String value) throws MalformedMessage {
        if (before != null) {
            throw MalformedMessage.badRequest("a field twice that may be there once");
        }
        return value;
    }

    private static long contentLength(String value) throws MalformedMessage {
        long length = Http1Text.contentLength(value);
        if (length < 0) {
            throw MalformedMessage.badRequest("Content-Length is not one number of 1 to 18 digits");
        }
        return length;
    }

    private static void checkName(String name) throws MalformedMessage {
        if (!Http1Text.isToken(name)) {
            throw MalformedMessage.badRequest("a field name that is no token");
        }
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) >= 'A' && name.charAt(i) <= 'Z') {
                throw MalformedMessage.badRequest("a field name in upper case");
            }
        }
        switch (name) {
            case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings" ->
                throw MalformedMessage.badRequest("a field of HTTP/1 connections");
            default -> {}
        }
    }

    private static void checkValue(String value) throws MalformedMessage {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) > 0xff || !Http1Text.isText((byte) value.charAt(i))) {
                throw MalformedMessage.badRequest("a field value with control characters");
            }
        }
        if (!value.isEmpty() && (isBlank(value.charAt(0)) || isBlank(value.charAt(value.length() - 1)))) {
            throw MalformedMessage.badRequest("a field value with white space around it");
        }
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }
}
