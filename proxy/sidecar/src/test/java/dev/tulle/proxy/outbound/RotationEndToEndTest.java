package dev.tulle.proxy.outbound;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.telemetry.PrometheusText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of busy pools when the certificate or the bundle is replaced. */
@Timeout(60)
class RotationEndToEndTest {
    private static final int CALLERS = 24;
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private static final Pattern OPENED = Pattern.compile("tulle_connections_total\\{direction=\"inbound\"\\} (\\d+)");

    private final TestMesh mesh = new TestMesh();

    @AfterEach
    void close() {
        mesh.close();
    }

    @Test
    void doesNotDialEveryConnectionAnewAtOnce() throws Exception {
        try (RawOrigin origin = RawOrigin.echoingHeads()) {
            TestMesh.Side server = mesh.server("reviews", Protocol.HTTP, origin.address(), InboundPolicy.OPEN);
            TestMesh.Side client = mesh.clientOf(server, Protocol.HTTP);
            List<Wire> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                callers.add(new Wire(client.dialOutbound()));
            }
            volley(callers);
            long before = opened(server);

            client.tls.install(
                    mesh.authority().svid(TestMesh.identity("web")),
                    mesh.authority().bundle());
            volley(callers);
            volley(callers);

            assertThat(opened(server) - before).isBetween(1L, CALLERS / 2L);
            for (Wire caller : callers) {
                caller.close();
            }
        }
    }

    /** All ask at once, and all are answered. */
    private static void volley(List<Wire> callers) {
        callers.forEach(caller -> caller.send(REQUEST));
        for (Wire caller : callers) {
            assertThat(caller.readHead()).startsWith("HTTP/1.1 200 ");
            caller.readHead();
        }
    }

    private static long opened(TestMesh.Side server) {
        Matcher found = OPENED.matcher(PrometheusText.of(server.meters, "1", Set.of()));
        assertThat(found.find()).isTrue();
        return Long.parseLong(found.group(1));
    }
}
