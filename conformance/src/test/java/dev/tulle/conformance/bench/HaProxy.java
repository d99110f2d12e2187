package dev.tulle.conformance.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** HAProxy with one thread, in HTTP or TCP mode. */
record HaProxy() implements Subject {
    @Override
    public Known known() {
        return Known.HAPROXY;
    }

    @Override
    public Optional<String> missing() {
        return Shell.has("haproxy")
                ? Optional.empty()
                : Optional.of("install haproxy (Debian: apt-get install haproxy)");
    }

    @Override
    public String version() throws IOException {
        return Shell.first(Shell.run("haproxy", "-v"), "version ([0-9.]+)");
    }

    @Override
    public Command prepare(Hop hop) throws IOException {
        boolean http2 = hop.traffic() == Traffic.HTTP2 || hop.traffic() == Traffic.GRPC;
        String alpn = http2 ? "alpn h2" : hop.traffic() == Traffic.HTTP1 ? "alpn http/1.1" : "";
        String tls = "ssl ca-file %s crt %s verify required %s"
                .formatted(hop.file("anchor.pem"), hop.file("both.pem"), alpn);
        String plain = http2 ? "proto h2" : "";
        Path config = hop.file("haproxy.cfg");
        Files.writeString(config, """
                global
                  nbthread 1
                  maxconn 9000
                  tune.ssl.default-dh-param 2048
                  ssl-default-bind-options ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3 %s
                  ssl-default-server-options ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3
                defaults
                  mode %s
                  %s
                  timeout connect 5s
                  timeout client 5m
                  timeout server 5m
                frontend in
                  bind 127.0.0.1:%d %s
                  default_backend out
                backend out
                  server next 127.0.0.1:%d %s
                """.formatted(
                        hop.resume() ? "" : "no-tls-tickets",
                        hop.traffic() == Traffic.TCP ? "tcp" : "http",
                        hop.traffic() == Traffic.TCP ? "" : "http-reuse always",
                        hop.listen(),
                        hop.near() ? plain : tls,
                        hop.next(),
                        hop.near() ? tls + " verifyhost leaf" + (hop.resume() ? "" : " no-ssl-reuse") : plain));
        return Command.of("haproxy", "-db", "-f", config.toString());
    }
}
