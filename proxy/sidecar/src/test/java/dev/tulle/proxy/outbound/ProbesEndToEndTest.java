package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.WorkloadConfig.Probe;
import dev.tulle.proxy.model.WorkloadConfig.Probe.Kind;
import dev.tulle.proxy.telemetry.PrometheusText;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kubelet may ask of a workload that lets in nobody, and that nothing else comes in by that. */
@Timeout(30)
class ProbesEndToEndTest {
    private static final InboundPolicy NOBODY = InboundPolicy.NOBODY;

    private final TestMesh mesh = new TestMesh();

    @AfterEach
    void close() {
        mesh.close();
    }

    private TestMesh.Side closed(RawOrigin origin, Protocol protocol) {
        var server = mesh.server("reviews", protocol, origin.address(), NOBODY);
        server.probes(List.of(new Probe(TestMesh.PORT, Kind.HTTP, "/healthz?full=1")));
        return server;
    }

    @ParameterizedTest
    @EnumSource(
            value = Protocol.class,
            names = {"HTTP", "DETECT", "TCP"})
    void letsInTheDeclaredProbeAlone(Protocol protocol) {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = closed(origin, protocol);
            try (Wire wire = new Wire(server.dialInbound())) {
                wire.send("GET /healthz?full=1 HTTP/1.1\r\nHost: 10.0.0.7:9080\r\nUser-Agent: kube-probe/1.36\r\n\r\n");
                assertThat(wire.readHead()).startsWith("HTTP/1.1 200 ");
            }
            try (Wire wire = new Wire(server.dialInbound())) {
                wire.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
                assertThat(wire.readHead()).startsWith("HTTP/1.1 403 ");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /healthz?full=1&x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /healthz/../secret HTTP/1.1\r\nHost: a\r\n\r\n",
                "POST /healthz?full=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                "HEAD /healthz?full=1 HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /healthz?full=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
                "GET /healthz?full=1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            })
    void refusesWhatIsNearlyAProbe(String request) {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            try (Wire wire = new Wire(closed(origin, Protocol.HTTP).dialInbound())) {
                assertThat(wire.send(request).readHead()).startsWith("HTTP/1.1 403 ");
            }
        }
    }

    @Test
    void takesFromAProbeWhatCouldLeadElsewhere() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            try (Wire wire = new Wire(closed(origin, Protocol.HTTP).dialInbound())) {
                wire.send("GET /healthz?full=1 HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: DELETE\r\n");
                wire.send("X-Original-URL: /secret\r\nX-Declared: by-the-pod\r\n\r\n");
                assertThat(wire.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(wire.readHead()).contains("x-declared: by-the-pod").doesNotContain("DELETE", "/secret");
            }
        }
    }

    @Test
    void countsNoProbeAndNobodyElseLess() {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            var server = closed(origin, Protocol.HTTP);
            for (String agent : List.of("kube-probe/1.36", "curl/8", "not-kube-probe/1")) {
                try (Wire wire = new Wire(server.dialInbound())) {
                    wire.send("GET /healthz?full=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n".formatted(agent));
                    assertThat(wire.readHead()).startsWith("HTTP/1.1 200 ");
                }
            }
            Awaitility.await()
                    .untilAsserted(() -> assertThat(PrometheusText.of(server.meters, "1", Set.of()))
                            .containsPattern("tulle_requests_total\\{direction=\"inbound\",peer=\"\".*} 2\n"));
        }
    }

    @Test
    void endsASilentCallerThatMayNotPassSoon() {
        try (RawOrigin origin = new RawOrigin(connection -> connection.send("220 ready\r\n"))) {
            var server = mesh.server("reviews", Protocol.DETECT, origin.address(), NOBODY);
            long begun = System.nanoTime();
            try (Wire wire = new Wire(server.dialInbound())) {
                assertThat(wire.readAll()).isEmpty();
            }
            assertThat(System.nanoTime() - begun).isLessThan(8_000_000_000L);
            assertThat(server.meters.drain())
                    .anySatisfy(report -> assertThat(report.denials()).isNotEmpty());
        }
    }
}
