package dev.tulle.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** The answers a proxy makes itself: a reason word, and one sentence for people. */
public final class Answers {
    /** Says why the proxy answered instead of the application. */
    public static final String REASON_FIELD = "x-tulle-reason";

    /** Reason of requests that break the protocol. */
    public static final String MALFORMED = "malformed";

    /**
     * Says that the application was not reached at all, so that the caller's proxy may try another endpoint whatever the method. An
     * answer takes the place of REFUSED_STREAM: resets in numbers end a connection that others use. Source: RFC 9113, 8.7.
     */
    public static final String UNPROCESSED_FIELD = "x-tulle-unprocessed";

    /** Source: gRPC status codes. */
    private static final int GRPC_INTERNAL = 13;

    private static final int GRPC_UNKNOWN = 2;
    private static final int GRPC_DEADLINE_EXCEEDED = 4;
    private static final int GRPC_PERMISSION_DENIED = 7;
    private static final int GRPC_RESOURCE_EXHAUSTED = 8;
    private static final int GRPC_UNIMPLEMENTED = 12;
    private static final int GRPC_UNAVAILABLE = 14;
    private static final int GRPC_UNAUTHENTICATED = 16;

    private Answers() {}

    /**
     * Answers a request; a gRPC call by trailers alone, with HTTP status 200.
     *
     * @param status of HTTP
     * @param reason a word of a closed set
     * @param sentence printable ASCII
     */
    public static void send(ServerStream stream, RequestHead request, int status, String reason, String sentence) {
        send(stream, request, status, reason, sentence, Fields.EMPTY);
    }

    /** As {@link #send(ServerStream, RequestHead, int, String, String)}, for one that asks too often. */
    public static void tooMany(
            ServerStream stream, RequestHead request, long retryAfterSeconds, String reason, String sentence) {
        send(stream, request, 429, reason, sentence, Fields.of("retry-after", Long.toString(retryAfterSeconds)));
    }

    /** As {@link #send(ServerStream, RequestHead, int, String, String)}, for an application that was not reached. */
    public static void unprocessed(ServerStream stream, RequestHead request, String reason, String sentence) {
        send(stream, request, 503, reason, sentence, Fields.of(UNPROCESSED_FIELD, "true"));
    }

    /** Whether an answer says so: with status 503, or as the end of a gRPC call. */
    public static boolean isUnprocessed(ResponseHead answer, boolean end) {
        return (answer.status() == 503 || (end && answer.status() == 200))
                && answer.fields().contains(UNPROCESSED_FIELD);
    }

    /** The same answer without the field that says so. */
    public static ResponseHead processed(ResponseHead answer) {
        return answer.withFields(answer.fields().without(name -> name.contentEquals(UNPROCESSED_FIELD)));
    }

    private static void send(
            ServerStream stream, RequestHead request, int status, String reason, String sentence, Fields more) {
        if (request.isGrpc()) {
            Fields.Builder fields = grpcTrailers(status, reason, sentence).toBuilder();
            fields.add("content-type", "application/grpc");
            more.forEach(fields::add);
            stream.respond(new ResponseHead(200, "", fields.build(), RequestHead.UNKNOWN), true);
            return;
        }
        byte[] text = ("tulle: " + sentence + "\n").getBytes(StandardCharsets.US_ASCII);
        Fields.Builder fields = more.toBuilder();
        fields.add("content-type", "text/plain; charset=utf-8").add(REASON_FIELD, reason);
        ResponseHead head = new ResponseHead(status, "", fields.build(), text.length);
        if (ResponseHead.hasNoBody(request.method(), status)) {
            stream.respond(head, true);
            return;
        }
        stream.respond(head, false);
        ByteBuf body = Unpooled.wrappedBuffer(text);
        stream.data(body, true);
    }

    /** The end of a gRPC call as this HTTP status would end a request. */
    public static Fields grpcTrailers(int status, String reason, String sentence) {
        return Fields.of(
                "grpc-status",
                Integer.toString(grpcStatus(status)),
                "grpc-message",
                grpcMessage(sentence),
                REASON_FIELD,
                reason);
    }

    private static int grpcStatus(int status) {
        return switch (status) {
            case 400 -> GRPC_INTERNAL;
            case 401 -> GRPC_UNAUTHENTICATED;
            case 403 -> GRPC_PERMISSION_DENIED;
            case 404 -> GRPC_UNIMPLEMENTED;
            case 429 -> GRPC_RESOURCE_EXHAUSTED;
            case 500 -> GRPC_UNKNOWN;
            case 504 -> GRPC_DEADLINE_EXCEEDED;
            default -> GRPC_UNAVAILABLE;
        };
    }

    /** Percent-encodes what may not stand in a grpc-message. Source: gRPC over HTTP/2, Responses. */
    static String grpcMessage(String sentence) {
        StringBuilder encoded = new StringBuilder(sentence.length());
        for (byte character : sentence.getBytes(StandardCharsets.UTF_8)) {
            if (character >= 0x20 && character < 0x7f && character != '%') {
                encoded.append((char) character);
            } else {
                encoded.append('%').append(Character.forDigit(character >> 4 & 15, 16));
                encoded.append(Character.forDigit(character & 15, 16));
            }
        }
        return encoded.toString();
    }
}
