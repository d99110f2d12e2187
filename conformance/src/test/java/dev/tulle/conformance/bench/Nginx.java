package dev.tulle.conformance.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** nginx with one worker; it speaks HTTP/2 to who calls it, HTTP/1.1 to whom it calls, and gRPC without sharing connections. */
record Nginx() implements Subject {
    /** Where Debian puts TCP; others build it in. */
    private static final Path STREAM = Path.of("/usr/lib/nginx/modules/ngx_stream_module.so");

    @Override
    public Known known() {
        return Known.NGINX;
    }

    @Override
    public Optional<String> missing() {
        return Shell.has("nginx") && (!streamIsLoaded() || Files.exists(STREAM))
                ? Optional.empty()
                : Optional.of("install nginx (Debian: apt-get install nginx libnginx-mod-stream)");
    }

    @Override
    public String version() throws IOException {
        return Shell.first(Shell.run("nginx", "-v"), "nginx/([0-9.]+)");
    }

    @Override
    public Optional<String> handicap(Traffic traffic) {
        return switch (traffic) {
            case HTTP2 -> Optional.of("nginx cannot call by HTTP/2: HTTP/1.1 between its hops and to the application");
            case GRPC -> Optional.of("nginx puts one gRPC call at a time on a connection between its hops");
            case HTTP1, TCP -> Optional.empty();
        };
    }

    @Override
    public Command prepare(Hop hop) throws IOException {
        Path config = hop.file("nginx.conf");
        Files.writeString(config, """
                %s
                %s
                daemon off;
                worker_processes 1;
                worker_rlimit_nofile 20000;
                error_log stderr error;
                pid %s;
                events { worker_connections 18000; }
                %s
                """.formatted(
                        System.getProperty("user.name").equals("root") ? "user root;" : "",
                        hop.traffic() == Traffic.TCP && streamIsLoaded() ? "load_module " + STREAM + ";" : "",
                        hop.file("nginx.pid"),
                        hop.traffic() == Traffic.TCP ? stream(hop) : http(hop)));
        return Command.of("nginx", "-p", hop.folder().toString(), "-c", config.toString());
    }

    private static boolean streamIsLoaded() {
        try {
            return Shell.run("nginx", "-V").contains("--with-stream=dynamic");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String stream(Hop hop) {
        return """
                stream {
                  upstream next { server 127.0.0.1:%d; }
                  server {
                    listen 127.0.0.1:%d %s;
                    proxy_pass next;
                %s
                  }
                }
                """.formatted(
                        hop.next(),
                        hop.listen(),
                        hop.near() ? "" : "ssl",
                        hop.near() ? "    proxy_ssl on;\n" + calling("proxy", hop) : answering(hop));
    }

    private static String http(Hop hop) {
        boolean grpc = hop.traffic() == Traffic.GRPC;
        // Between the hops and to the application it is HTTP/1.1, so only the first listener takes HTTP/2.
        boolean http2 = grpc || (hop.traffic() == Traffic.HTTP2 && hop.near());
        String module = grpc ? "grpc" : "proxy";
        return """
                http {
                  access_log off;
                  %s
                  upstream next { server 127.0.0.1:%d; keepalive 128; keepalive_requests 100000000; keepalive_timeout 5m; }
                  server {
                    listen 127.0.0.1:%d %s %s;
                    keepalive_requests 100000000;
                    keepalive_timeout 5m;
                %s
                    location / {
                      %s_pass %s://next;
                      %s
                    }
                  }
                }
                """.formatted(
                        temporaryFolders(hop),
                        hop.next(),
                        hop.listen(),
                        hop.near() ? "" : "ssl",
                        http2 ? "http2" : "",
                        hop.near() ? calling(module, hop) : answering(hop),
                        module,
                        (grpc ? "grpc" : "http") + (hop.near() ? "s" : ""),
                        grpc
                                ? ""
                                : "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host;");
    }

    private static String answering(Hop hop) {
        return """
                    ssl_certificate %s;
                    ssl_certificate_key %s;
                    ssl_client_certificate %s;
                    ssl_verify_client on;
                    ssl_verify_depth 3;
                    ssl_protocols TLSv1.3;
                    ssl_session_tickets %s;
                """.formatted(
                hop.file("chain.pem"), hop.file("key.pem"), hop.file("anchor.pem"), hop.resume() ? "on" : "off");
    }

    private static String calling(String module, Hop hop) {
        return """
                    M_ssl_certificate %s;
                    M_ssl_certificate_key %s;
                    M_ssl_trusted_certificate %s;
                    M_ssl_verify on;
                    M_ssl_verify_depth 3;
                    M_ssl_name leaf;
                    M_ssl_protocols TLSv1.3;
                    M_ssl_session_reuse %s;
                """.replace("M_", module + "_").formatted(
                hop.file("chain.pem"), hop.file("key.pem"), hop.file("anchor.pem"), hop.resume() ? "on" : "off");
    }

    private static String temporaryFolders(Hop hop) {
        StringBuilder lines = new StringBuilder();
        for (String kind : new String[] {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            lines.append("%s_temp_path %s; ".formatted(kind, hop.file(kind)));
        }
        return lines.toString();
    }
}
