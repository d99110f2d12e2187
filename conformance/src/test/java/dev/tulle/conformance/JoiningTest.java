package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.conformance.mesh.Program;
import dev.tulle.conformance.mesh.SidecarPair.Sidecar;
import dev.tulle.conformance.mesh.StandaloneMesh;
import dev.tulle.conformance.mesh.TestAuthority;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.ToProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Proxies that may not join: both sides say why, in words that name the cure, and nobody else is held up. */
@Timeout(120)
class JoiningTest {
    private static final Duration BOUND = Duration.ofSeconds(30);

    @TempDir
    private static Path folder;

    private static StandaloneMesh mesh;

    @BeforeAll
    static void start() {
        mesh = StandaloneMesh.start(
                folder,
                StandaloneMesh.server("catalog", Program.freePort(), Program.freePort())
                        + StandaloneMesh.caller("web", "catalog", Program.freePort()));
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
    }

    @Test
    void anExpiredTokenIsRefusedWithTheTimeAndTheCure() throws InterruptedException {
        // Given
        String token = mesh.token("shop/web-1", "--ttl", "1s");
        Thread.sleep(1500);
        // When
        Sidecar sidecar = mesh.startSidecar("expired", token);
        // Then
        assertSays(sidecar.program(), "expired", "tulle token shop/web-1");
        assertNotReady(sidecar);
    }

    @Test
    void aTokenForAnotherWorkloadIsRefusedBeforeAnythingIsSent() {
        // When
        Sidecar sidecar = mesh.startSidecar("other", mesh.token("shop/catalog-1"), "--workload", "shop/web-1");
        // Then
        assertSays(sidecar.program(), "shop/catalog-1", "shop/web-1");
        assertNotReady(sidecar);
    }

    @Test
    void aTokenThatWasTamperedWithIsRefusedOnBothSides() {
        // Given
        String token = mesh.token("shop/web-1");
        String tampered = token.substring(0, token.length() - 6) + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
        // When
        Sidecar sidecar = mesh.startSidecar("tampered", tampered);
        // Then
        assertSays(sidecar.program(), "not signed by this controller", "tulle token shop/web-1");
        mesh.controller()
                .awaitThat(
                        "telling it", BOUND, () -> mesh.controller().log().contains("not signed by this controller"));
        assertNotReady(sidecar);
    }

    @Test
    void aCertificateOfAnotherTrustDomainOpensNoStream() throws IOException {
        // Given an identity directory from an authority of somebody else
        TestAuthority elsewhere = new TestAuthority("elsewhere.example");
        TestAuthority.Leaf leaf = elsewhere.leaf(elsewhere.identity("shop", "web"));
        Path identity = Files.createDirectories(folder.resolve("elsewhere"));
        Files.writeString(identity.resolve("chain.pem"), leaf.chainPem());
        Files.writeString(identity.resolve("key.pem"), leaf.keyPem());
        Files.writeString(identity.resolve("trust.json"), ProxyCodec.encode(new ToProxy.Trust(0, elsewhere.bundle())));
        // When
        Sidecar sidecar = mesh.runSidecar(
                "elsewhere", List.of("--identity-dir", identity.toString(), "--workload", "shop/web-1"));
        // Then
        assertSays(sidecar.program(), "is not of the trust domain 'elsewhere.example'");
        assertNotReady(sidecar);
    }

    /** Waits until one line of its log has all of these words. */
    private static void assertSays(Program program, String... words) {
        long end = System.nanoTime() + BOUND.toNanos();
        while (program.log().lines().noneMatch(line -> List.of(words).stream().allMatch(line::contains))) {
            assertThat(System.nanoTime())
                    .as("no line with all of %s in:%n%s", List.of(words), program.log())
                    .isLessThan(end);
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void assertNotReady(Sidecar sidecar) {
        assertThat(sidecar.admin("/readyz")).isNotEqualTo("ready");
        sidecar.program().close();
    }
}
