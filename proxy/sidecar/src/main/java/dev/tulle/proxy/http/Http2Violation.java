package dev.tulle.proxy.http;

/** A peer broke HTTP/2, on one stream or for the whole connection; without a stack trace: peers cause it at will. */
final class Http2Violation extends Exception {
    private static final long serialVersionUID = 1;

    private final int stream;
    private final int code;
    private final String limit;

    private Http2Violation(int stream, int code, String limit, String detail) {
        super(detail, null, false, false);
        this.stream = stream;
        this.code = code;
        this.limit = limit;
    }

    static Http2Violation ofConnection(int code, String detail) {
        return new Http2Violation(0, code, "", detail);
    }

    static Http2Violation ofStream(int stream, int code, String detail) {
        return new Http2Violation(stream, code, "", detail);
    }

    /** More of something than is borne; ends the connection. */
    static Http2Violation tooMuch(String limit, String detail) {
        return new Http2Violation(0, Http2Wire.ENHANCE_YOUR_CALM, limit, detail);
    }

    /** A stream more than there may be. */
    static Http2Violation tooManyStreams(int stream) {
        return new Http2Violation(stream, Http2Wire.REFUSED_STREAM, "max_concurrent_streams", "too many streams");
    }

    /** The component of {@link dev.tulle.proxy.bootstrap.Limits} that bit, in snake case; empty for none. */
    String limit() {
        return limit;
    }

    /** The stream that ends by it; 0 when the connection does. */
    int stream() {
        return stream;
    }

    /** Error code to tell the peer. */
    int code() {
        return code;
    }
}
