package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HTTP/1.1 through two sidecars; what the application received decides. */
@Timeout(30)
class Http1EndToEndTest {
    @Test
    void carriesARequestOverMutualTlsAndTellsTheApplicationWhoCalls() {
        // Given
        try (RawOrigin origin = RawOrigin.echoingHeads();
                TestMesh mesh = new TestMesh()) {
            var server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            var client = mesh.clientOf(server, Protocol.HTTP);
            // When
            try (Wire wire = new Wire(client.dialOutbound())) {
                wire.send(
                        "GET /a//b/./c?q=1 HTTP/1.1\r\nHost: Reviews:9080\r\nX-Forwarded-Client-Cert: URI=spiffe://forged\r\n\r\n");
                String head = wire.readHead();
                String seen = wire.readHead();
                // Then
                assertThat(head).startsWith("HTTP/1.1 200 OK\r\n");
                assertThat(seen)
                        .startsWith("GET /a/b/c?q=1 HTTP/1.1\r\nhost: reviews:9080\r\n")
                        .contains("x-forwarded-client-cert: By=spiffe://cluster.local/ns/shop/sa/reviews;URI="
                                + "spiffe://cluster.local/ns/shop/sa/web\r\n")
                        .doesNotContain("forged");
            }
        }
    }
}
