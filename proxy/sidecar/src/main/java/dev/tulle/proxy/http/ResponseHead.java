package dev.tulle.proxy.http;

import static java.util.Objects.requireNonNull;

/**
 * What an answer says before its body, whichever protocol it came by; nothing of framing or of one hop is in the fields.
 *
 * @param status 100 to 599; 101 only as the answer to a WebSocket request
 * @param reason phrase of HTTP/1, may be empty
 * @param fields without content-length, transfer-encoding, connection and the fields it names
 * @param length declared bytes of the body (for HEAD and 304: of the body that a GET would have), or {@link RequestHead#UNKNOWN}
 */
public record ResponseHead(int status, String reason, Fields fields, long length) {
    public ResponseHead {
        if (!isStatus(status)) {
            throw new IllegalArgumentException("status is %d".formatted(status));
        }
        requireNonNull(reason, "reason");
        requireNonNull(fields, "fields");
    }

    public ResponseHead withFields(Fields changed) {
        return new ResponseHead(status, reason, changed, length);
    }

    /** Whether a number may be a status. Source: RFC 9110, 15. */
    static boolean isStatus(long number) {
        return number >= 100 && number <= 599;
    }

    /** Whether an answer of this status to a request of this method never has a body. Source: RFC 9112, 6.3. */
    public static boolean hasNoBody(String method, int status) {
        return status < 200 || status == 204 || status == 304 || method.equals("HEAD");
    }
}
