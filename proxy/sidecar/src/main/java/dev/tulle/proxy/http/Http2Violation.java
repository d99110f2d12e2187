package dev.tulle.proxy.http;

/** A peer broke HTTP/2, on one stream or for the whole connection; without a stack trace: peers cause it at will. */
final class Http2Violation extends Exception {
    private static final long serialVersionUID = 1;

    private final int stream;
    private final int code;

    private Http2Violation(int stream, int code, String detail) {
        super(detail, null, false, false);
        this.stream = stream;
        this.code = code;
    }

    static Http2Violation ofConnection(int code, String detail) {
        return new Http2Violation(0, code, detail);
    }

    static Http2Violation ofStream(int stream, int code, String detail) {
        return new Http2Violation(stream, code, detail);
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
