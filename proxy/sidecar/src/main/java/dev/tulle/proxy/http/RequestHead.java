package dev.tulle.proxy.http;

import static java.util.Objects.requireNonNull;

/**
 * What a request says before its body, whichever protocol it came by; nothing of framing or of one hop is in the fields.
 *
 * @param method as sent; case-sensitive token
 * @param scheme {@code http} or {@code https}
 * @param authority lower-case host with its port if one was sent; never empty
 * @param target path and query, starting with a slash, or {@code *}
 * @param fields without host, content-length, transfer-encoding, connection and the fields it names; {@code te} only as
 *     {@code trailers}
 * @param length bytes of the body, or {@link #UNKNOWN}
 * @param websocket whether the client asks to switch to WebSocket
 */
public record RequestHead(
        String method, String scheme, String authority, String target, Fields fields, long length, boolean websocket) {
    /** Length of a body that ends where it ends. */
    public static final long UNKNOWN = -1;

    /** Names and overhead of four pseudo-headers and of content-length with its longest value. */
    private static final int PSEUDO_HEADERS = 256;

    public RequestHead {
        requireNonNull(method, "method");
        requireNonNull(scheme, "scheme");
        requireNonNull(authority, "authority");
        requireNonNull(target, "target");
        requireNonNull(fields, "fields");
    }

    /** Whether it is a gRPC call: what is refused is then answered as a gRPC status. */
    public boolean isGrpc() {
        String type = fields.first("content-type");
        return type != null
                && type.startsWith("application/grpc")
                && (type.length() == 16 || type.charAt(16) == '+' || type.charAt(16) == ';');
    }

    /** Whether the sender takes trailers. */
    public boolean takesTrailers() {
        return fields.contains("te");
    }

    /** Whether sending it twice means the same as sending it once. Source: RFC 9110, 9.2.2. */
    public boolean isIdempotent() {
        return switch (method) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> false;
        };
    }

    /** The target up to its query. */
    public String path() {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    /** Its size as a list of fields of HTTP/2, not less than the receiver counts. Source: RFC 9113, 6.5.2. */
    public int listBytes() {
        return fields.listBytes()
                + PSEUDO_HEADERS
                + method.length()
                + scheme.length()
                + authority.length()
                + target.length();
    }

    /** The same request with another target and other fields. */
    public RequestHead with(String changedTarget, Fields changedFields) {
        return changedTarget.equals(target) && changedFields.equals(fields)
                ? this
                : new RequestHead(method, scheme, authority, changedTarget, changedFields, length, websocket);
    }

    public RequestHead withFields(Fields changed) {
        return with(target, changed);
    }
}
