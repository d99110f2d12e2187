package dev.tulle.conformance.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Load by generators that nobody here wrote: wrk and h2load, one thread each. */
final class ForeignLoad {
    private static final int HTTP1_CONNECTIONS = 32;
    private static final int HTTP2_CONNECTIONS = 4;
    private static final int HTTP2_STREAMS = 16;

    private ForeignLoad() {}

    /** What the workloads need and this machine does not have. */
    static List<String> missing(Options options) {
        List<String> missing = new ArrayList<>();
        String instead = options.effort().smoke() ? "; load of ours stands in" : "";
        if ((options.measures("http1") || options.measures("latency")) && !Shell.has("wrk")) {
            missing.add("install wrk (Debian: apt-get install wrk)" + instead);
        }
        if ((options.measures("http2") || options.measures("grpc")) && !Shell.has("h2load")) {
            missing.add("install h2load (Debian: apt-get install nghttp2-client)" + instead);
        }
        return missing;
    }

    /** HTTP/1.1 with keep-alive: GET, 32 connections; ours, if need be, when it is only smoke. */
    static Load http1(boolean smoke) {
        return smoke && !Shell.has("wrk") ? OwnLoad.http1() : ForeignLoad::wrk;
    }

    /** HTTP/2: GET, 4 connections of 16 streams. */
    static Load http2(boolean smoke) {
        return smoke && !Shell.has("h2load")
                ? OwnLoad.http2(false)
                : (port, seconds) -> h2load(port, seconds, List.of());
    }

    /** A gRPC call as the wire sees it: POST with one message of 3 bytes, answered by 1 KiB and trailers. */
    static Load grpc(boolean smoke, Path folder) throws IOException {
        if (smoke && !Shell.has("h2load")) {
            return OwnLoad.http2(true);
        }
        Path message = Files.write(folder.resolve("message"), new byte[] {0, 0, 0, 0, 3, 'a', 'b', 'c'});
        return (port, seconds) -> h2load(
                port,
                seconds,
                List.of("-d", message.toString(), "-H", "content-type: application/grpc", "-H", "te: trailers"));
    }

    private static Load.Done wrk(int port, int seconds) throws IOException {
        String said = Shell.run("wrk", "-t1", "-c" + HTTP1_CONNECTIONS, "-d" + seconds, url(port));
        double failed = 0;
        if (said.contains("Non-2xx")) {
            failed += Shell.number(said, "Non-2xx or 3xx responses: ([0-9]+)");
        }
        if (said.contains("Socket errors")) {
            failed += Shell.number(said, "read ([0-9]+), write") + Shell.number(said, "timeout ([0-9]+)");
        }
        return new Load.Done(
                Shell.number(said, "([0-9]+) requests in") - failed,
                Shell.number(said, "Requests/sec:\\s+([0-9.]+)"),
                failed);
    }

    private static Load.Done h2load(int port, int seconds, List<String> more) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("h2load", "-t1", "-c" + HTTP2_CONNECTIONS, "-m" + HTTP2_STREAMS, "-D" + seconds));
        command.addAll(more);
        command.add(url(port));
        String said = Shell.run(command);
        double good = Shell.number(said, "status codes: ([0-9]+) 2xx");
        double failed = Shell.number(said, "([0-9]+) failed") + Shell.number(said, "2xx, ([0-9]+) 3xx");
        failed += Shell.number(said, "([0-9]+) 4xx") + Shell.number(said, "([0-9]+) 5xx");
        return new Load.Done(good, good / seconds, failed);
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port + "/";
    }
}
