package dev.tulle.proxy.identity;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.proxy.identity.TestAuthority.Leaf;
import dev.tulle.proxy.model.TrustBundle;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PeerVerifierTest {
    private static final String GOOD = "spiffe://cluster.local/ns/shop/sa/web";
    private static final TestAuthority AUTHORITY = new TestAuthority();
    private static final KeyPair KEYS = TestAuthority.keys();

    private final Clock clock = Clock.systemUTC();
    private final PeerVerifier verifier = new PeerVerifier(AUTHORITY.trust(), clock);

    static Stream<Arguments> refused() {
        Instant now = Instant.now();
        return Stream.of(
                refused("no URI name", "exactly one URI name", leaf -> leaf.subject("CN=web")),
                refused("only a DNS name", "exactly one URI name", leaf -> leaf.dns("web.shop")),
                refused("only a common name", "exactly one URI name", leaf -> leaf.subject("CN=" + GOOD)),
                refused(
                        "two URI names",
                        "exactly one URI name",
                        leaf -> leaf.uri(GOOD).uri("spiffe://cluster.local/ns/shop/sa/db")),
                refused(
                        "the same URI name twice",
                        "exactly one URI name",
                        leaf -> leaf.uri(GOOD).uri(GOOD)),
                refused(
                        "a URI of another form",
                        "exactly one URI name",
                        leaf -> leaf.uri("spiffe://cluster.local/shop/web")),
                refused(
                        "a port in the URI",
                        "exactly one URI name",
                        leaf -> leaf.uri("spiffe://cluster.local:1/ns/shop/sa/web")),
                refused(
                        "upper case in the URI",
                        "exactly one URI name",
                        leaf -> leaf.uri("spiffe://cluster.local/ns/Shop/sa/web")),
                refused(
                        "dots as a name",
                        "exactly one URI name",
                        leaf -> leaf.uri("spiffe://cluster.local/ns/../sa/web")),
                refused("a query in the URI", "exactly one URI name", leaf -> leaf.uri(GOOD + "?a=b")),
                refused("an escaped NUL in the URI", "exactly one URI name", leaf -> leaf.uri(GOOD + "%00.evil")),
                refused(
                        "another trust domain",
                        "trust domain",
                        leaf -> leaf.uri("spiffe://other.example/ns/shop/sa/web")),
                refused(
                        "a trust domain ours is the start of",
                        "trust domain",
                        leaf -> leaf.uri("spiffe://cluster.local.evil/ns/shop/sa/web")),
                refused(
                        "an authority as leaf",
                        "authority",
                        leaf -> leaf.uri(GOOD).ca()),
                refused(
                        "no key usage",
                        "digitalSignature",
                        leaf -> leaf.uri(GOOD).keyUsage(0)),
                refused(
                        "key usage that signs nothing",
                        "digitalSignature",
                        leaf -> leaf.uri(GOOD).keyUsage(KeyUsage.keyAgreement)),
                refused(
                        "key usage that signs certificates",
                        "digitalSignature",
                        leaf -> leaf.uri(GOOD).keyUsage(KeyUsage.digitalSignature | KeyUsage.keyCertSign)),
                refused(
                        "no extended key usage",
                        "extended key usage",
                        leaf -> leaf.uri(GOOD).purposes()),
                refused(
                        "extended key usage of a server, shown by a client",
                        "extended key usage",
                        leaf -> leaf.uri(GOOD).purposes(KeyPurposeId.id_kp_serverAuth)),
                refused(
                        "any extended key usage",
                        "extended key usage",
                        leaf -> leaf.uri(GOOD).purposes(KeyPurposeId.anyExtendedKeyUsage)),
                refused(
                        "ended beyond the skew",
                        "ended",
                        leaf -> leaf.uri(GOOD).valid(now.minus(Duration.ofDays(2)), now.minus(Duration.ofMinutes(6)))),
                refused(
                        "not yet begun beyond the skew",
                        "not valid before",
                        leaf -> leaf.uri(GOOD).valid(now.plus(Duration.ofMinutes(6)), now.plus(Duration.ofDays(1)))));
    }

    private static Arguments refused(String what, String because, UnaryOperator<Leaf> change) {
        return Arguments.of(what, because, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesALeafWith(String what, String because, UnaryOperator<Leaf> change) {
        X509Certificate leaf = change.apply(AUTHORITY.leaf()).sign(KEYS.getPublic());

        assertThatThrownBy(() -> verifier.checkClientTrusted(AUTHORITY.chain(leaf), "EC"))
                .isInstanceOf(CertificateException.class)
                .hasMessageContaining(because);
    }

    @Test
    void acceptsAGoodLeafOnBothSides() {
        X509Certificate leaf = AUTHORITY.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatCode(() -> {
                    verifier.checkClientTrusted(AUTHORITY.chain(leaf), "EC");
                    verifier.checkServerTrusted(AUTHORITY.chain(leaf), "EC");
                    // A second time from memory.
                    verifier.checkClientTrusted(AUTHORITY.chain(leaf), "EC");
                })
                .doesNotThrowAnyException();
    }

    @Test
    void remembersALeafForTheSideItWasShownOnOnly() throws CertificateException {
        X509Certificate leaf = AUTHORITY
                .leaf()
                .uri(GOOD)
                .purposes(KeyPurposeId.id_kp_clientAuth)
                .sign(KEYS.getPublic());

        verifier.checkClientTrusted(AUTHORITY.chain(leaf), "EC");

        assertThatThrownBy(() -> verifier.checkServerTrusted(AUTHORITY.chain(leaf), "EC"))
                .isInstanceOf(CertificateException.class)
                .hasMessageContaining("extended key usage");
    }

    @Test
    void forgetsALeafWhenItEnds() throws CertificateException {
        Instant now = Instant.now();
        MovableClock moving = new MovableClock(now);
        PeerVerifier remembering = new PeerVerifier(AUTHORITY.trust(), moving);
        X509Certificate leaf = AUTHORITY
                .leaf()
                .uri(GOOD)
                .valid(now.minusSeconds(60), now.plusSeconds(600))
                .sign(KEYS.getPublic());
        remembering.checkClientTrusted(AUTHORITY.chain(leaf), "EC");

        moving.to(now.plusSeconds(600 + 299));
        assertThatCode(() -> remembering.checkClientTrusted(AUTHORITY.chain(leaf), "EC"))
                .doesNotThrowAnyException();
        moving.to(now.plusSeconds(600 + 302));
        assertThatThrownBy(() -> remembering.checkClientTrusted(AUTHORITY.chain(leaf), "EC"))
                .hasMessageContaining("ended");
    }

    @Test
    void toleratesClocksThatDifferByAFewMinutes() {
        Instant now = Instant.now();
        X509Certificate ahead = AUTHORITY
                .leaf()
                .uri(GOOD)
                .valid(now.plus(Duration.ofMinutes(4)), now.plus(Duration.ofDays(1)))
                .sign(KEYS.getPublic());
        X509Certificate behind = AUTHORITY
                .leaf()
                .uri(GOOD)
                .valid(now.minus(Duration.ofDays(1)), now.minus(Duration.ofMinutes(4)))
                .sign(KEYS.getPublic());

        assertThatCode(() -> verifier.checkClientTrusted(AUTHORITY.chain(ahead), "EC"))
                .doesNotThrowAnyException();
        assertThatCode(() -> verifier.checkClientTrusted(AUTHORITY.chain(behind), "EC"))
                .doesNotThrowAnyException();
    }

    @Test
    void refusesAChainOfAnotherRoot() {
        TestAuthority other = new TestAuthority();
        X509Certificate leaf = other.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatThrownBy(() -> verifier.checkClientTrusted(other.chain(leaf), "EC"))
                .hasMessageContaining("does not lead to an anchor");
        assertThatThrownBy(() ->
                        verifier.checkClientTrusted(new X509Certificate[] {leaf, other.issuer(), other.root()}, "EC"))
                .isInstanceOf(CertificateException.class);
        assertThatThrownBy(() -> verifier.checkClientTrusted(AUTHORITY.chain(leaf), "EC"))
                .hasMessageContaining("does not lead to an anchor");
    }

    @Test
    void refusesALeafWithoutItsIssuer() {
        X509Certificate leaf = AUTHORITY.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatThrownBy(() -> verifier.checkClientTrusted(new X509Certificate[] {leaf}, "EC"))
                .hasMessageContaining("does not lead to an anchor");
    }

    @Test
    void acceptsAChainThatShowsItsAnchor() {
        X509Certificate leaf = AUTHORITY.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatCode(() -> verifier.checkClientTrusted(
                        new X509Certificate[] {leaf, AUTHORITY.issuer(), AUTHORITY.root()}, "EC"))
                .doesNotThrowAnyException();
    }

    @Test
    void refusesLongAndEmptyChains() {
        X509Certificate leaf = AUTHORITY.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatThrownBy(() -> verifier.checkClientTrusted(new X509Certificate[0], "EC"))
                .hasMessageContaining("no certificate");
        assertThatThrownBy(() -> verifier.checkClientTrusted(
                        new X509Certificate[] {leaf, AUTHORITY.issuer(), AUTHORITY.issuer(), AUTHORITY.root()}, "EC"))
                .hasMessageContaining("more than 3");
    }

    @Test
    void refusesAWorkloadThatSignsForOthers() {
        KeyPair workload = TestAuthority.keys();
        X509Certificate leaf = AUTHORITY.leaf().uri(GOOD).sign(workload.getPublic());
        X509Certificate forged =
                AUTHORITY.leaf().uri("spiffe://cluster.local/ns/shop/sa/db").sign(KEYS.getPublic());

        assertThatThrownBy(() -> verifier.checkClientTrusted(new X509Certificate[] {forged, leaf}, "EC"))
                .isInstanceOf(CertificateException.class);
    }

    @Test
    void trustsBothRootsDuringARotation() {
        TestAuthority next = new TestAuthority();
        TrustBundle both = new TrustBundle(
                TestAuthority.TRUST_DOMAIN,
                List.of(Certificates.pem(List.of(AUTHORITY.root())), Certificates.pem(List.of(next.root()))),
                next.issuerId());
        PeerVerifier rotating = new PeerVerifier(both, clock);
        X509Certificate old = AUTHORITY.leaf().uri(GOOD).sign(KEYS.getPublic());
        X509Certificate fresh = next.leaf().uri(GOOD).sign(KEYS.getPublic());

        assertThatCode(() -> {
                    rotating.checkClientTrusted(AUTHORITY.chain(old), "EC");
                    rotating.checkClientTrusted(next.chain(fresh), "EC");
                })
                .doesNotThrowAnyException();
    }

    @Test
    void saysWhenABundleIsOfNoUse() {
        assertThatThrownBy(() -> new PeerVerifier(new TrustBundle("cluster.local", List.of(), ""), clock))
                .hasMessageContaining("no anchors");
        assertThatThrownBy(() -> new PeerVerifier(new TrustBundle("cluster.local", List.of("rubbish"), ""), clock))
                .hasMessageContaining("no certificate");
    }

    /** A clock that stands where it is put. */
    private static final class MovableClock extends Clock {
        private Instant now;

        MovableClock(Instant now) {
            this.now = now;
        }

        void to(Instant next) {
            now = next;
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }
    }
}
