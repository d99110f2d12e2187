package dev.tulle.conformance.bench;

/** What is measured; the order is that of the tables. */
enum Measure {
    HTTP1_CPU("http1", "CPU per request, HTTP/1.1 keep-alive, 1 KiB", "us"),
    HTTP1_RATE("http1", "requests per second, HTTP/1.1 keep-alive", "/s"),
    HTTP2_CPU("http2", "CPU per request, HTTP/2, 1 KiB", "us"),
    HTTP2_RATE("http2", "requests per second, HTTP/2", "/s"),
    GRPC_CPU("grpc", "CPU per call, gRPC unary", "us"),
    GRPC_RATE("grpc", "calls per second, gRPC unary", "/s");

    /** As on the command line. */
    final String workload;

    final String title;
    final String unit;

    Measure(String workload, String title, String unit) {
        this.workload = workload;
        this.title = title;
        this.unit = unit;
    }
}
