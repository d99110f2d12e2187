package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tulle.conformance.mesh.GreetingOrigin;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ProxyConfig;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.WorkloadConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A config that changes under open connections, and one that is broken. */
@Timeout(90)
class ConfigChangeTest {
    private static final Duration BOUND = Duration.ofSeconds(15);

    private static final InboundPolicy WEB_ONLY = new InboundPolicy(
            InboundPolicy.Access.CLOSED,
            InboundPolicy.Unmeshed.DENY,
            false,
            List.of(new Grant(
                    "shop/web",
                    List.of(new SpiffeId("cluster.local", "shop", "web")),
                    Optional.empty(),
                    Optional.empty())));

    @TempDir
    private Path folder;

    @Test
    void aNewPolicyEndsTheOpaqueConnectionsItForbids() throws IOException {
        try (GreetingOrigin origin = new GreetingOrigin();
                SidecarPair mesh = SidecarPair.open(folder, Protocol.TCP, origin.port());
                RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            // Given
            connection.send("hello");
            connection.readUntil(BOUND, text -> text.endsWith("hello"));
            // When
            mesh.rewriteServerConfig(policy(InboundPolicy.NOBODY));
            // Then
            assertThat(connection.readToEnd(BOUND).closed()).isTrue();
            try (RawConnection another = RawConnection.to(mesh.outboundPort())) {
                another.send("hello");
                assertThat(another.readToEnd(BOUND).text()).isEmpty();
            }
        }
    }

    @Test
    void eachRequestOnAnOpenConnectionIsJudgedByThePolicyInForce() throws IOException {
        try (RecordingOrigin origin = new RecordingOrigin();
                SidecarPair mesh = SidecarPair.withPolicy(folder, Protocol.HTTP, origin.port(), WEB_ONLY);
                RawConnection connection = RawConnection.to(mesh.outboundPort())) {
            // Given
            assertThat(ask(connection, "/before")).isEqualTo(200);
            // When
            mesh.rewriteServerConfig(policy(InboundPolicy.NOBODY));
            // Then
            await().atMost(BOUND).until(() -> ask(connection, "/during") == 403);
            int received = origin.received().size();
            assertThat(ask(connection, "/after")).isEqualTo(403);
            assertThat(origin.received()).hasSize(received);
        }
    }

    @Test
    void aConfigThatCannotBeUsedIsRefusedAsAWholeAndTheLastGoodOneStays() throws Exception {
        try (RecordingOrigin origin = new RecordingOrigin();
                SidecarPair mesh = SidecarPair.withPolicy(folder, Protocol.HTTP, origin.port(), WEB_ONLY)) {
            for (UnaryOperator<String> broken : List.<UnaryOperator<String>>of(
                    config -> config.substring(0, config.length() / 2),
                    config -> "",
                    config -> "[]",
                    config -> config.replace("\"sources\"", "\"sauces\""),
                    config -> config.replace("\"closed\"", "\"mostly closed\""),
                    // A condition that this proxy does not know must not be passed over: more would match than was
                    // meant.
                    config -> config.replace("\"sources\" :", "\"onlyOnSundays\" : true, \"sources\" :"))) {
                int lines = refusals(mesh);
                // When
                String[] good = new String[1];
                mesh.rewriteServerConfig(config -> {
                    good[0] = config;
                    String changed = broken.apply(config);
                    assertThat(changed).isNotEqualTo(config);
                    return changed;
                });
                // Then
                await().atMost(BOUND).until(() -> refusals(mesh) > lines);
                try (RawConnection web = RawConnection.to(mesh.outboundPort());
                        RawConnection plain = RawConnection.to(mesh.inboundPort())) {
                    assertThat(ask(web, "/web")).isEqualTo(200);
                    assertThat(ask(plain, "/plain")).isEqualTo(403);
                }
                mesh.rewriteServerConfig(config -> good[0]);
            }
            assertThat(origin.received("/plain")).isEmpty();
        }
    }

    private static int refusals(SidecarPair mesh) {
        return mesh.server().program().log().split(" warn ", -1).length
                + mesh.server().program().log().split(" error ", -1).length;
    }

    private static int ask(RawConnection connection, String target) throws IOException {
        connection.send("GET " + target + " HTTP/1.1\r\nhost: catalog\r\n\r\n");
        return connection
                .readUntil(BOUND, text -> text.endsWith(target) || (text.contains("\r\n\r\n") && text.endsWith("\n")))
                .status();
    }

    private static UnaryOperator<String> policy(InboundPolicy policy) {
        return text -> {
            try {
                ProxyConfig config = ProxyCodec.decodeConfig(text);
                WorkloadConfig workload = config.workload();
                return ProxyCodec.encode(new ProxyConfig(
                        config.version() + 1,
                        new WorkloadConfig(
                                workload.workload(),
                                workload.owner(),
                                workload.identity(),
                                workload.inbound(),
                                workload.outbound(),
                                policy,
                                workload.meshNetworks(),
                                workload.healthCheck()),
                        config.destinations(),
                        config.trust()));
            } catch (MalformedMessage e) {
                throw new IllegalStateException(e);
            }
        };
    }
}
