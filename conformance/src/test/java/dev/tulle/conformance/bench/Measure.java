package dev.tulle.conformance.bench;

/** What is measured; the order is that of the tables. */
enum Measure {
    HTTP1_CPU("http1", "CPU per request, HTTP/1.1 keep-alive, 1 KiB", "us"),
    HTTP1_RATE("http1", "requests per second, HTTP/1.1", "/s"),
    HTTP2_CPU("http2", "CPU per request, HTTP/2, 1 KiB", "us"),
    HTTP2_RATE("http2", "requests per second, HTTP/2", "/s"),
    GRPC_CPU("grpc", "CPU per call, gRPC unary", "us"),
    GRPC_RATE("grpc", "calls per second, gRPC unary", "/s"),
    TCP_CPU("tcp", "CPU per MB, opaque TCP", "us"),
    TCP_RATE("tcp", "throughput, opaque TCP, one connection", "MB/s"),
    FULL_CPU("connections", "CPU per new connection, full handshake", "us"),
    RESUMED_CPU("connections", "CPU per new connection, resumed", "us"),
    ADDED_P50("latency", "added p50 at 1,000 requests a second", "us"),
    WARM_P50("latency", "p50 at 1,000 requests a second, warm", "us"),
    WARM_P99("latency", "p99 at 1,000 requests a second, warm", "ms"),
    COLD_P99("latency", "p99 in the first 10 s after start", "ms"),
    COLD_TO_WARM("latency", "p99 of the first 10 s, to the warm one", "x"),
    IDLE_BYTES("idle", "memory of an idle connection, pair of proxies", "KiB"),
    IDLE_CPU("idle", "CPU with 1,000 idle connections, pair", "ms/s"),
    START("start", "start to first request", "s"),
    MEMORY_IDLE("start", "resident memory of one side, after start", "MiB"),
    SHARE_IDLE("start", "the same, shared pages divided (PSS)", "MiB"),
    MEMORY_LOAD("http1", "resident memory of one side, under load", "MiB"),
    SHARE_LOAD("http1", "the same, shared pages divided (PSS)", "MiB");

    /** As on the command line. */
    final String workload;

    final String title;
    final String unit;

    Measure(String workload, String title, String unit) {
        this.workload = workload;
        this.title = title;
        this.unit = unit;
    }

    /** Or less. */
    boolean moreIsBetter() {
        return unit.equals("/s") || unit.equals("MB/s");
    }
}
