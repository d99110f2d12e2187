package dev.tulle.conformance.bench;

/** What crosses the two hops; each proxy is set up for one of them. */
enum Traffic {
    /** HTTP/1.1 on every leg. */
    HTTP1,
    /** HTTP/2 on every leg, in plain text with prior knowledge at both ends. */
    HTTP2,
    /** HTTP/2 on every leg, named gRPC where a proxy tells the difference. */
    GRPC,
    /** Bytes. */
    TCP
}
