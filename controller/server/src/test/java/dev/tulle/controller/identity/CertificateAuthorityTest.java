package dev.tulle.controller.identity;

import static dev.tulle.controller.identity.Authorities.WEB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.proxy.model.SpiffeId;
import java.nio.file.Path;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateAuthorityTest {
    private final HandClock clock = new HandClock(Instant.parse("2026-11-21T12:00:00Z"));

    @TempDir
    Path directory;

    @Test
    void signsALeafThatTheJdkTracesToTheRoot() throws Exception {
        // Given
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        // When
        List<X509Certificate> chain = authority.sign(Authorities.ecKeys().getPublic(), WEB);
        // Then
        X509Certificate leaf = chain.getFirst();
        assertThatCode(() -> validate(chain, authority.state())).doesNotThrowAnyException();
        assertThat(leaf.getSubjectAlternativeNames())
                .containsExactly(List.of(6, "spiffe://cluster.local/ns/shop/sa/web"));
        assertThat(leaf.getSubjectX500Principal().getName()).isEmpty();
        assertThat(leaf.getNotBefore().toInstant()).isEqualTo(clock.instant().minus(Duration.ofMinutes(5)));
        assertThat(leaf.getNotAfter().toInstant()).isEqualTo(clock.instant().plus(Duration.ofHours(24)));
        assertThat(leaf.getExtendedKeyUsage()).containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getSerialNumber().bitLength()).isEqualTo(128);
        assertThat(chain.get(1).getBasicConstraints()).isZero();
        assertThat(authority.state().roots().getFirst().certificate().getBasicConstraints())
                .isEqualTo(1);
        assertThat(Certificates.authorityKeyId(leaf))
                .isEqualTo(authority.trust().issuer());
    }

    @Test
    void neverGivesOneSerialTwice() throws Exception {
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        var key = Authorities.ecKeys().getPublic();
        Set<Object> serials = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            serials.add(authority.sign(key, WEB).getFirst().getSerialNumber());
        }
        assertThat(serials).hasSize(20);
    }

    @Test
    void itsIssuerCannotSignForAnotherTrustDomain() throws Exception {
        // Given an issuer that is misused past our own check
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        SigningKey issuer = authority.state().issuer();
        LeafProfile profile = LeafProfile.ofWorkload(
                new SpiffeId("other.example", "shop", "web"), clock.instant(), Duration.ofHours(1), issuer.notAfter());
        X509Certificate leaf = new Certificates(new java.security.SecureRandom())
                .leaf(Authorities.ecKeys().getPublic(), profile, issuer);
        // When, then
        assertThatThrownBy(() -> validate(List.of(leaf, issuer.certificate()), authority.state()))
                .hasMessageContaining("name constraints");
        assertThatThrownBy(() -> authority.sign(Authorities.ecKeys().getPublic(), profile.identity()))
                .hasMessageContaining("not of the trust domain cluster.local");
    }

    @Test
    void comesBackWithTheSameRootAndTokens() throws Exception {
        CertificateAuthority before = Authorities.open(directory.resolve("state"), clock);
        CertificateAuthority after = Authorities.open(directory.resolve("state"), clock);
        assertThat(after.state()).isEqualTo(before.state());
    }

    @Test
    void makesTheNextIssuerAtTwoThirdsOfItsLife() throws Exception {
        // Given
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        SigningKey first = authority.state().issuer();
        List<X509Certificate> chain = authority.sign(Authorities.ecKeys().getPublic(), WEB);
        // When
        clock.pass(Duration.ofDays(59));
        assertThat(authority.maintain(1, false)).isFalse();
        clock.pass(Duration.ofDays(2));
        assertThat(authority.maintain(1, false)).isTrue();
        // Then
        assertThat(authority.state().issuer()).isNotEqualTo(first);
        assertThat(authority.state().roots()).hasSize(1);
        assertThatCode(() ->
                        validateAt(chain, authority.state(), first.notBefore().plusSeconds(600)))
                .doesNotThrowAnyException();
        assertThat(Authorities.open(directory.resolve("state"), clock).state()).isEqualTo(authority.state());
    }

    @Test
    void aLeafNeverOutlivesItsIssuer() throws Exception {
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        clock.pass(Duration.ofDays(90).minusHours(2));
        X509Certificate leaf =
                authority.sign(Authorities.ecKeys().getPublic(), WEB).getFirst();
        assertThat(leaf.getNotAfter())
                .isEqualTo(authority.state().issuer().certificate().getNotAfter());
    }

    @Test
    void exchangesTheRootByOverlap() throws Exception {
        // Given
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        AuthorityState settled = authority.state();
        List<X509Certificate> oldChain = authority.sign(Authorities.ecKeys().getPublic(), WEB);
        // When trust comes first
        assertThat(authority.maintain(2, false)).isTrue();
        AuthorityState trusting = authority.state();
        assertThat(authority.maintain(2, true)).isFalse();
        // Then the old one still signs
        assertThat(trusting.roots()).hasSize(2).startsWith(settled.roots().getFirst());
        assertThat(trusting.issuer()).isEqualTo(settled.issuer());
        // When everybody trusts both
        authority.maintain(2, false);
        AuthorityState signing = authority.state();
        List<X509Certificate> newChain = authority.sign(Authorities.ecKeys().getPublic(), WEB);
        // Then the new one signs, both chains hold, and the controller's own certificate stays with the old root
        assertThat(signing.issuer()).isNotEqualTo(settled.issuer());
        validate(oldChain, signing);
        validate(newChain, signing);
        validate(newChain, trusting);
        validate(authority.serve(WEB, List.of(), List.of()).chain(), settled);
        // When nobody needs the old one
        authority.maintain(2, false);
        AuthorityState done = authority.state();
        // Then it is gone
        assertThat(done.roots()).containsExactly(signing.roots().getLast());
        assertThat(done.rotation())
                .isEqualTo(new RootRotation.Settled(2, done.rotation().since()));
        validate(newChain, done);
        assertThatThrownBy(() -> validate(oldChain, done))
                .isInstanceOf(java.security.cert.CertPathValidatorException.class);
        assertThat(authority.maintain(2, false)).isFalse();
    }

    @Test
    void goesOnWithARotationAfterARestart() throws Exception {
        CertificateAuthority authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        authority.maintain(2, false);
        CertificateAuthority restarted = Authorities.open(directory.resolve("state"), clock);
        assertThat(restarted.state()).isEqualTo(authority.state());
        restarted.maintain(2, false);
        assertThat(restarted.state().rotation().phase()).isEqualTo("signing");
    }

    @Test
    void refusesToServeAnotherTrustDomainThanItsState() throws Exception {
        Authorities.open(directory.resolve("state"), "one.example", clock);
        assertThatThrownBy(() -> Authorities.open(directory.resolve("state"), "two.example", clock))
                .isInstanceOf(UnusableState.class)
                .hasMessageContaining("one.example")
                .hasMessageContaining("--state-dir");
    }

    static void validate(List<X509Certificate> chain, AuthorityState state) throws Exception {
        validateAt(chain, state, chain.getFirst().getNotBefore().toInstant().plusSeconds(1));
    }

    private static void validateAt(List<X509Certificate> chain, AuthorityState state, Instant at) throws Exception {
        Set<TrustAnchor> anchors = state.roots().stream()
                .map(root -> new TrustAnchor(root.certificate(), null))
                .collect(Collectors.toSet());
        PKIXParameters parameters = new PKIXParameters(anchors);
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(at));
        var path = CertificateFactory.getInstance("X.509").generateCertPath(chain);
        CertPathValidator.getInstance("PKIX").validate(path, parameters);
    }
}
