package dev.tulle.proxy.http;

/** The numbers of HTTP/2. Source: RFC 9113, 3.4, 4.1, 6, 7 and 11. */
final class Http2Wire {
    static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    /** Length, type, flags and stream of a frame. */
    static final int HEAD_BYTES = 9;

    /** The longest payload that everybody takes; we never allow or write longer ones. */
    static final int MAX_PAYLOAD = 16_384;

    /** Every window before settings are told. */
    static final int DEFAULT_WINDOW = 65_535;

    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 0x1;
    static final int ACK = 0x1;
    static final int END_HEADERS = 0x4;
    static final int PADDED = 0x8;
    static final int WITH_PRIORITY = 0x20;

    static final int HEADER_TABLE_SIZE = 1;
    static final int ENABLE_PUSH = 2;
    static final int MAX_CONCURRENT_STREAMS = 3;
    static final int INITIAL_WINDOW_SIZE = 4;
    static final int MAX_FRAME_SIZE = 5;
    static final int MAX_HEADER_LIST_SIZE = 6;

    /** Source: RFC 8441. */
    static final int ENABLE_CONNECT_PROTOCOL = 8;

    /** Source: RFC 9218. */
    static final int NO_RFC7540_PRIORITIES = 9;

    static final int NO_ERROR = 0;
    static final int PROTOCOL_ERROR = 1;
    static final int INTERNAL_ERROR = 2;
    static final int FLOW_CONTROL_ERROR = 3;
    static final int STREAM_CLOSED = 5;
    static final int FRAME_SIZE_ERROR = 6;
    static final int REFUSED_STREAM = 7;
    static final int CANCEL = 8;
    static final int COMPRESSION_ERROR = 9;
    static final int ENHANCE_YOUR_CALM = 11;

    private Http2Wire() {}
}
