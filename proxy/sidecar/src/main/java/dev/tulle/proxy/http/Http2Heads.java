package dev.tulle.proxy.http;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes the header blocks of HTTP/2, as strictly as {@link Http1Heads} does those of HTTP/1.1. Source: RFC 9113, 8.
 *
 * <p>Reading takes the block that the decoder read last; writing leaves the block in the encoder.
 */
final class Http2Heads {
    /** What a 426 asks for, on its way through HTTP/2, which has no Upgrade. */
    private static final String UPGRADE_ASKED = "x-tulle-upgrade";

    private static final String WEBSOCKET = "websocket";

    private Http2Heads() {}

    /** Reads a request; throws with status 400 for a stream error, with another one for that answer. */
    static RequestHead request(HpackDecoder block, boolean end, int maxFields) throws MalformedMessage {
        String method = null;
        String scheme = null;
        String authority = null;
        String path = null;
        String host = null;
        long length = RequestHead.UNKNOWN;
        Fields.Builder fields = new Fields.Builder();
        int count = 0;
        for (int i = 0; i < block.count(); i++) {
            HpackField field = block.field(i);
            String value = field.value;
            checkValue(field);
            if (field.kind.isPseudo()) {
                if (count > 0) {
                    throw MalformedMessage.badRequest("a pseudo-header behind other fields");
                }
            } else if (++count > maxFields) {
                throw new MalformedMessage(431, "more than %d header fields".formatted(maxFields));
            }
            switch (field.kind) {
                case METHOD -> method = once(method, value);
                case SCHEME -> scheme = once(scheme, value);
                case AUTHORITY -> authority = once(authority, value);
                case PATH -> path = once(path, value);
                case HOST -> host = once(host, value);
                case CONTENT_LENGTH -> {
                    if (length >= 0) {
                        throw MalformedMessage.badRequest("Content-Length twice");
                    }
                    length = contentLength(value);
                }
                case TE -> {
                    if (!value.equals("trailers")) {
                        throw MalformedMessage.badRequest("te is not 'trailers'");
                    }
                    fields.add(field.name, value);
                }
                case REGULAR -> fields.add(field.name, value);
                case UNDERSCORED -> {
                    // Left out: an application may take it for another one.
                }
                case STATUS, OTHER_PSEUDO, OF_CONNECTION, NO_NAME -> throw outOfPlace(field);
            }
        }
        if (block.isTooLarge()) {
            throw new MalformedMessage(431, "header fields that are too long");
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
    static ResponseHead response(HpackDecoder block, int maxFields) throws MalformedMessage {
        String status = null;
        long length = RequestHead.UNKNOWN;
        Fields.Builder fields = new Fields.Builder();
        int count = 0;
        for (int i = 0; i < block.count(); i++) {
            HpackField field = block.field(i);
            checkValue(field);
            if (!field.kind.isPseudo() && ++count > maxFields) {
                throw MalformedMessage.badRequest("more than %d header fields".formatted(maxFields));
            }
            switch (field.kind) {
                case STATUS -> {
                    if (count > 0) {
                        throw MalformedMessage.badRequest("a pseudo-header behind other fields");
                    }
                    status = once(status, field.value);
                }
                case CONTENT_LENGTH -> {
                    if (length >= 0) {
                        throw MalformedMessage.badRequest("Content-Length twice");
                    }
                    length = contentLength(field.value);
                }
                case REGULAR, UNDERSCORED, HOST, TE -> fields.add(field.name, field.value);
                case METHOD, SCHEME, AUTHORITY, PATH, OTHER_PSEUDO, OF_CONNECTION, NO_NAME -> throw outOfPlace(field);
            }
        }
        checkSize(block);
        long number = status == null || status.length() != 3 ? -1 : Http1Text.contentLength(status);
        if (!ResponseHead.isStatus(number) || number == 101) {
            throw MalformedMessage.badRequest("the status is not a number from 100 to 599, or 101");
        }
        if (number == 426) {
            fields = upgradeRestored(fields.build());
        }
        return new ResponseHead((int) number, "", fields.build(), length);
    }

    /** Reads trailers; of a request those that would mean something before the body are left out. */
    static Fields trailers(HpackDecoder block, boolean ofRequest, int maxFields) throws MalformedMessage {
        Fields.Builder fields = new Fields.Builder();
        for (int i = 0; i < block.count(); i++) {
            HpackField field = block.field(i);
            checkValue(field);
            if (field.kind.isPseudo()
                    || field.kind == HpackField.Kind.OF_CONNECTION
                    || field.kind == HpackField.Kind.NO_NAME) {
                throw outOfPlace(field);
            }
            if (i >= maxFields) {
                throw MalformedMessage.badRequest("more than %d trailers".formatted(maxFields));
            }
            if (!ofRequest || Http1Heads.mayTrail(field.name)) {
                fields.add(field.name, field.value);
            }
        }
        checkSize(block);
        return fields.build();
    }

    static void write(RequestHead head, HpackEncoder to) {
        to.begin();
        to.method(head.method());
        to.scheme(head.scheme());
        to.field(":authority", head.authority());
        to.path(head.target());
        if (head.length() >= 0) {
            to.field("content-length", Long.toString(head.length()));
        }
        add(head.fields(), to);
    }

    static void write(ResponseHead head, HpackEncoder to) {
        to.begin();
        to.status(head.status());
        if (head.length() >= 0 && head.status() >= 200 && head.status() != 204) {
            to.field("content-length", Long.toString(head.length()));
        }
        add(head.status() == 426 ? upgradeHidden(head.fields()) : head.fields(), to);
    }

    private static Fields upgradeHidden(Fields fields) {
        boolean asked = fields.contains("upgrade");
        Fields.Builder hidden = fields.toBuilder().remove("upgrade").remove(UPGRADE_ASKED);
        return (asked ? hidden.add(UPGRADE_ASKED, WEBSOCKET) : hidden).build();
    }

    private static Fields.Builder upgradeRestored(Fields fields) {
        boolean asked = WEBSOCKET.equals(fields.first(UPGRADE_ASKED));
        Fields.Builder restored = fields.toBuilder().remove(UPGRADE_ASKED);
        return asked ? restored.add("upgrade", WEBSOCKET) : restored;
    }

    static void write(Fields trailers, HpackEncoder to) {
        to.begin();
        add(trailers, to);
    }

    private static void add(Fields fields, HpackEncoder to) {
        for (int i = 0; i < fields.size(); i++) {
            to.field(fields.name(i), fields.value(i));
        }
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

    private static MalformedMessage outOfPlace(HpackField field) {
        return MalformedMessage.badRequest(
                switch (field.kind) {
                    case OF_CONNECTION -> "a field of HTTP/1 connections";
                    case NO_NAME -> "a field name that is no token in lower case";
                    default -> "a pseudo-header out of place";
                });
    }

    private static void checkValue(HpackField field) throws MalformedMessage {
        if (!field.clean) {
            throw MalformedMessage.badRequest("a field value with control characters or white space around it");
        }
    }

    private static void checkSize(HpackDecoder block) throws MalformedMessage {
        if (block.isTooLarge()) {
            throw MalformedMessage.badRequest("header fields that are too long");
        }
    }
}
