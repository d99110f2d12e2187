package dev.tulle.controller.identity;

import static dev.tulle.controller.identity.Authorities.WEB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.PeerVerifier.Judgement;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerVerifierTest {
    private final HandClock clock = HandClock.atNow();

    @TempDir
    Path directory;

    private CertificateAuthority authority;
    private List<X509Certificate> chain;

    @BeforeEach
    void sign() throws Exception {
        authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
        chain = authority.sign(Authorities.ecKeys().getPublic(), WEB);
    }

    @Test
    void provesTheIdentityOfItsOwnLeaf() {
        assertThat(judge(chain))
                .isEqualTo(new Judgement.Proven(
                        WEB,
                        "",
                        chain.getFirst().getNotAfter().toInstant(),
                        authority.state().issuer().id()));
    }

    @Test
    void wantsACertificate() {
        assertThat(refusal(List.of())).contains("needs the proxy's certificate");
    }

    @Test
    void namesTheOtherTrustDomain() throws Exception {
        CertificateAuthority other = Authorities.open(directory.resolve("other"), "other.example", clock);
        var foreign = other.sign(
                Authorities.ecKeys().getPublic(), new dev.tulle.proxy.model.SpiffeId("other.example", "shop", "web"));
        assertThat(refusal(foreign)).contains("trust domain 'other.example', this mesh is 'cluster.local'");
    }

    @Test
    void refusesAnotherRootOfTheSameName() throws Exception {
        CertificateAuthority other = Authorities.open(directory.resolve("other"), clock);
        assertThat(refusal(other.sign(Authorities.ecKeys().getPublic(), WEB)))
                .contains("not issued under a root this mesh trusts");
        assertThat(refusal(List.of(chain.getFirst()))).contains("not issued under a root this mesh trusts");
    }

    @Test
    void refusesAnIssuerAsACaller() {
        assertThat(refusal(List.of(authority.state().issuer().certificate()))).contains("exactly one identity");
    }

    @Test
    void allowsFiveMinutesOfClockDifference() {
        clock.pass(Duration.ofHours(24).plusMinutes(4));
        assertThat(judge(chain)).isInstanceOf(Judgement.Proven.class);
        clock.pass(Duration.ofMinutes(2));
        assertThat(refusal(chain)).contains("ended at");
    }

    @Test
    void forgetsARootThatWasDropped() throws Exception {
        authority.maintain(2, false);
        assertThat(judge(chain)).isInstanceOf(Judgement.Proven.class);
        authority.maintain(2, false);
        assertThat(judge(chain)).isInstanceOf(Judgement.Proven.class);
        authority.maintain(2, false);
        assertThat(refusal(chain)).contains("not issued under a root this mesh trusts");
    }

    @Test
    void refusesAnOverlongChain() {
        X509Certificate issuer = chain.get(1);
        assertThat(refusal(List.of(chain.getFirst(), issuer, issuer, issuer))).contains("4 certificates");
    }

    private Judgement judge(List<X509Certificate> presented) {
        return PeerVerifier.judge(presented, authority.state(), clock.instant());
    }

    private String refusal(List<X509Certificate> presented) {
        return judge(presented) instanceof Judgement.Refused(String sentence) ? sentence : "accepted";
    }
}
