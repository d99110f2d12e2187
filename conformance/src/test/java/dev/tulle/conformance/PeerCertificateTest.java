package dev.tulle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.tulle.conformance.mesh.MeshTls;
import dev.tulle.conformance.mesh.RawConnection;
import dev.tulle.conformance.mesh.RawConnection.Said;
import dev.tulle.conformance.mesh.RecordingOrigin;
import dev.tulle.conformance.mesh.SidecarPair;
import dev.tulle.conformance.mesh.TestAuthority;
import dev.tulle.conformance.mesh.TestAuthority.Leaf;
import dev.tulle.conformance.mesh.TestAuthority.Shape;
import dev.tulle.proxy.model.Grant;
import dev.tulle.proxy.model.InboundPolicy;
import dev.tulle.proxy.model.Protocol;
import dev.tulle.proxy.model.SpiffeId;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Strangers with every kind of wrong certificate at the public port of a proxy; the application hears of none of them. */
class PeerCertificateTest {
    private static final Duration BOUND = Duration.ofSeconds(10);
    private static final String REQUEST = "GET /from-%s HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n\r\n";
    private static final String WEB = "spiffe://cluster.local/ns/shop/sa/web";
    private static final TestAuthority ANOTHER_DOMAIN = new TestAuthority("elsewhere.example");
    private static final TestAuthority IMPOSTOR = new TestAuthority("cluster.local");

    @TempDir
    private static Path folder;

    private static RecordingOrigin origin;
    private static SidecarPair mesh;

    @BeforeAll
    static void start() {
        origin = new RecordingOrigin();
        mesh = SidecarPair.withPolicy(
                folder,
                Protocol.HTTP,
                origin.port(),
                new InboundPolicy(
                        InboundPolicy.Access.CLOSED,
                        InboundPolicy.Unmeshed.ALLOW,
                        false,
                        List.of(new Grant(
                                "shop/catalog",
                                List.of(new SpiffeId("cluster.local", "shop", "web")),
                                Optional.empty(),
                                Optional.empty()))));
    }

    @AfterAll
    static void stop() {
        if (mesh != null) {
            mesh.close();
        }
        origin.close();
    }

    private record Stranger(String name, Optional<Leaf> certificate) {}

    private static Stranger with(String name, String... uris) {
        return new Stranger(
                name,
                Optional.of(mesh.authority()
                        .leaf(List.of(uris), Instant.now().minusSeconds(60), Duration.ofHours(1), false)));
    }

    private static Stranger odd(String name, Shape shape) {
        return new Stranger(name, Optional.of(mesh.authority().leaf(shape)));
    }

    private static Stream<Stranger> strangers() {
        Instant now = Instant.now();
        TestAuthority ours = mesh.authority();
        Leaf good = ours.leaf(ours.identity("shop", "web"));
        List<X509Certificate> impostors =
                IMPOSTOR.leaf(ours.identity("shop", "web")).chain();
        return Stream.of(
                new Stranger("nobody", Optional.empty()),
                new Stranger(
                        "another-domain", Optional.of(ANOTHER_DOMAIN.leaf(ANOTHER_DOMAIN.identity("shop", "web")))),
                new Stranger("same-name-other-root", Optional.of(IMPOSTOR.leaf(IMPOSTOR.identity("shop", "web")))),
                new Stranger(
                        "our-leaf-with-their-issuer",
                        Optional.of(new Leaf(good.key(), List.of(good.chain().getFirst(), impostors.get(1))))),
                new Stranger(
                        "expired",
                        Optional.of(
                                ours.leaf(List.of(WEB), now.minus(Duration.ofHours(3)), Duration.ofHours(2), false))),
                new Stranger(
                        "not-yet",
                        Optional.of(
                                ours.leaf(List.of(WEB), now.plus(Duration.ofHours(1)), Duration.ofHours(2), false))),
                new Stranger(
                        "an-authority",
                        Optional.of(ours.leaf(List.of(WEB), now.minusSeconds(60), Duration.ofHours(1), true))),
                new Stranger(
                        "nameless",
                        Optional.of(ours.leaf(List.of(), now.minusSeconds(60), Duration.ofHours(1), false))),
                odd("p-384", Shape.good(WEB).withAlgorithm("secp384r1")),
                odd("rsa", Shape.good(WEB).withAlgorithm("RSA")),
                odd("no-purpose", Shape.good(WEB).withPurposes()),
                odd("server-only", Shape.good(WEB).withPurposes(KeyPurposeId.id_kp_serverAuth)),
                odd("for-mail", Shape.good(WEB).withPurposes(KeyPurposeId.id_kp_emailProtection)),
                odd("any-purpose", Shape.good(WEB).withPurposes(KeyPurposeId.anyExtendedKeyUsage)),
                odd("no-key-usage", Shape.good(WEB).withUsage(0)),
                odd("signs-certificates", Shape.good(WEB).withUsage(KeyUsage.digitalSignature | KeyUsage.keyCertSign)),
                odd("agrees-keys-only", Shape.good(WEB).withUsage(KeyUsage.keyAgreement)),
                odd("three-links", Shape.good(WEB).withLinks(3)),
                odd("dns-only", Shape.good(WEB).withNames(new GeneralName(GeneralName.dNSName, "web.shop"))),
                odd("identity-as-dns", Shape.good(WEB).withNames(new GeneralName(GeneralName.dNSName, WEB))),
                odd("identity-as-mail", Shape.good(WEB).withNames(new GeneralName(GeneralName.rfc822Name, WEB))),
                odd("no-names", Shape.good(WEB).withNames()),
                with("two-slashes", "spiffe://cluster.local//ns/shop/sa/web"),
                with("one-slash", "spiffe:/cluster.local/ns/shop/sa/web"),
                with("no-path", "spiffe://cluster.local"),
                with("empty-names", "spiffe://cluster.local/ns//sa/"),
                with("another-form", "spiffe://cluster.local/sa/web/ns/shop"),
                with("a-semicolon", WEB + ";x"),
                with("two-names", WEB, "spiffe://cluster.local/ns/shop/sa/admin"),
                with("same-name-twice", WEB, WEB),
                with("upper-case", "spiffe://CLUSTER.local/ns/shop/sa/web"),
                with("upper-case-scheme", "SPIFFE://cluster.local/ns/shop/sa/web"),
                with("a-port", "spiffe://cluster.local:80/ns/shop/sa/web"),
                with("a-user", "spiffe://a@cluster.local/ns/shop/sa/web"),
                with("a-query", WEB + "?x"),
                with("a-fragment", WEB + "#x"),
                with("a-slash-at-the-end", WEB + "/"),
                with("a-longer-path", WEB + "/x"),
                with("dots", "spiffe://cluster.local/ns/shop/sa/../sa/web"),
                with("encoded", "spiffe://cluster.local/ns/shop/sa/%77eb"),
                with("no-spiffe", "https://cluster.local/ns/shop/sa/web"),
                with("a-domain-that-begins-like-ours", "spiffe://cluster.local.evil.example/ns/shop/sa/web"),
                with("another-domain-under-our-root", "spiffe://elsewhere.example/ns/shop/sa/web"),
                with("very-long", "spiffe://cluster.local/ns/shop/sa/" + "w".repeat(3000)));
    }

    @TestFactory
    Stream<DynamicTest> letsNoneOfThemSpeak() {
        return strangers()
                .map(stranger -> DynamicTest.dynamicTest(stranger.name(), () -> {
                    // When
                    Optional<Said> said = speak(stranger);
                    // Then
                    assertThat(said.map(Said::status).filter(status -> status == 200))
                            .isEmpty();
                    assertThat(said.map(Said::closed).orElse(true)).isTrue();
                    assertThat(origin.received("/from-" + stranger.name())).isEmpty();
                }));
    }

    @Test
    void letsAGoodOneSpeakSoThatTheOthersProveSomething() throws IOException {
        Leaf good = mesh.authority().leaf(mesh.authority().identity("shop", "web"));
        assertThat(speak(new Stranger("good", Optional.of(good))).map(Said::status))
                .contains(200);
        assertThat(origin.received("/from-good")).hasSize(1);
    }

    @Test
    void letsAGoodOneOfEveryShapeSpeak() throws IOException {
        GeneralName uri = new GeneralName(GeneralName.uniformResourceIdentifier, WEB);
        for (Shape shape : List.of(
                Shape.good(WEB),
                Shape.good(WEB).withLinks(2),
                Shape.good(WEB).withPurposes(KeyPurposeId.id_kp_clientAuth),
                Shape.good(WEB).withNames(uri, new GeneralName(GeneralName.dNSName, "web.shop")))) {
            assertThat(speak(odd("shaped", shape)).map(Said::status)).contains(200);
        }
    }

    @Test
    void speaksWithNobodyWhoNamesNoProtocol() throws IOException {
        Leaf good = mesh.authority().leaf(mesh.authority().identity("shop", "web"));
        for (String[] protocols : new String[][] {{}, {"spdy/3"}, {"http/1.0"}}) {
            try (RawConnection connection =
                    RawConnection.over(MeshTls.dial(mesh.inboundPort(), Optional.of(good), protocols))) {
                connection.send(REQUEST.formatted("no-protocol"));
                assertThat(connection.readToEnd(BOUND).status()).isNotEqualTo(200);
            } catch (SSLException | SocketException e) {
                // Not even a handshake.
            }
        }
        assertThat(origin.received("/from-no-protocol")).isEmpty();
    }

    @Test
    void deniesAnIdentityWithoutAGrantWithAReasonInsteadOfAReset() throws IOException {
        // Given
        Leaf thief = mesh.authority().leaf(mesh.authority().identity("shop", "thief"));
        // When
        Said said = speak(new Stranger("thief", Optional.of(thief))).orElseThrow();
        // Then
        assertThat(said.status()).isEqualTo(403);
        assertThat(said.text())
                .containsIgnoringCase("x-tulle-reason: no-grant")
                .contains("spiffe://cluster.local/ns/shop/sa/thief");
        assertThat(origin.received("/from-thief")).isEmpty();
    }

    @Test
    void deniesPlainTextToAClosedWorkload() throws IOException {
        try (RawConnection plain = RawConnection.to(mesh.inboundPort())) {
            plain.send(REQUEST.formatted("plain"));
            Said said = plain.readToEnd(BOUND);
            assertThat(said.status()).isEqualTo(403);
            assertThat(said.text()).containsIgnoringCase("x-tulle-reason: no-identity");
        }
        assertThat(origin.received("/from-plain")).isEmpty();
    }

    @Test
    void speaksNoOlderTlsAndNoUnknownProtocol() throws IOException {
        Leaf good = mesh.authority().leaf(mesh.authority().identity("shop", "web"));
        SSLContext context = MeshTls.context(Optional.of(good));
        try (Socket socket = RawConnection.dial(mesh.inboundPort());
                SSLSocket old = (SSLSocket)
                        context.getSocketFactory().createSocket(socket, "127.0.0.1", mesh.inboundPort(), true)) {
            old.setSoTimeout(10_000);
            SSLParameters parameters = old.getSSLParameters();
            parameters.setProtocols(new String[] {"TLSv1.2"});
            parameters.setApplicationProtocols(new String[] {"http/1.1"});
            old.setSSLParameters(parameters);
            assertThat(catchThrowable(old::startHandshake)).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aHandshakeThatBreaksOffHurtsNobody() throws IOException {
        for (int i = 0; i < 50; i++) {
            try (RawConnection half = RawConnection.to(mesh.inboundPort())) {
                half.send(new byte[] {0x16, 3, 1, 0x3f, (byte) 0xff, 1, 0, 0x3f, (byte) 0xfb, 3, 3});
            }
        }
        Leaf good = mesh.authority().leaf(mesh.authority().identity("shop", "web"));
        assertThat(speak(new Stranger("after", Optional.of(good))).map(Said::status))
                .contains(200);
    }

    @Test
    void theCallingSideSendsNothingToAServerWithAnotherIdentity(@TempDir Path other) throws IOException {
        // Given a mesh whose callee proves to be the thief, though the caller was told to expect the catalog
        try (RecordingOrigin target = new RecordingOrigin();
                SidecarPair lied = SidecarPair.withWrongServer(other, Protocol.HTTP, target.port());
                RawConnection connection = RawConnection.to(lied.outboundPort())) {
            // When
            connection.send(REQUEST.formatted("web"));
            Said said = connection.readToEnd(Duration.ofSeconds(15));
            // Then
            assertThat(said.status()).as(said.text()).isIn(502, 503);
            assertThat(target.received()).isEmpty();
            assertThat(target.connections()).isZero();
        }
    }

    private static Optional<Said> speak(Stranger stranger) throws IOException {
        try (RawConnection connection =
                RawConnection.over(MeshTls.dial(mesh.inboundPort(), stranger.certificate(), "http/1.1"))) {
            connection.send(REQUEST.formatted(stranger.name()));
            return Optional.of(connection.readToEnd(BOUND));
        } catch (SSLException | SocketException e) {
            return Optional.empty();
        }
    }
}
