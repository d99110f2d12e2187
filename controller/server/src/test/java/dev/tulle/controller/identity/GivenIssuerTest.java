package dev.tulle.controller.identity;

import static dev.tulle.controller.identity.Authorities.WEB;
import static dev.tulle.controller.identity.CertificateAuthorityTest.validate;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.identity.Authorities.HandClock;
import dev.tulle.controller.identity.IssuerReader.Reading;
import dev.tulle.controller.identity.Issuers.Authority;
import dev.tulle.controller.identity.Issuers.Form;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GivenIssuerTest {
    private final HandClock clock = HandClock.atNow();
    private final Authority root = Issuers.root("root", "secp256r1");

    @TempDir
    Path directory;

    private CertificateAuthority authority;

    @BeforeEach
    void open() throws Exception {
        authority = Authorities.open(directory.resolve("state"), clock);
        authority.maintain(1, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"secp256r1", "secp384r1", "RSA2048"})
    void takesOverByOverlap(String algorithm) throws Exception {
        // Given
        AuthorityState ours = authority.state();
        List<X509Certificate> before = leaf();
        Authority issuer = root.signs(Form.authority("issuer", algorithm));
        // When it is given, trust comes first, and ours still signs
        authority.want(given(issuer));
        assertThat(authority.maintain(1, true)).isTrue();
        AuthorityState trusting = authority.state();
        assertThat(trusting.rotation().phase()).isEqualTo("trusting");
        assertThat(trusting.issuer()).isEqualTo(ours.issuer());
        assertThat(authority.maintain(1, true)).isFalse();
        // Then it signs, and who knows our root alone can still call the controller
        authority.maintain(1, false);
        AuthorityState signing = authority.state();
        List<X509Certificate> after = leaf();
        assertThat(signing.issuer().certificate()).isEqualTo(issuer.certificate());
        validate(before, signing);
        validate(after, trusting);
        validate(authority.serve(WEB, List.of(), List.of()).chain(), ours);
        // Then ours is forgotten
        authority.maintain(1, false);
        AuthorityState settled = authority.state();
        assertThat(settled.rotation().phase()).isEqualTo("settled");
        assertThat(settled.roots()).containsExactly(Root.theirs(root.certificate()));
        assertThat(settled.isGiven()).isTrue();
        validate(after, settled);
        assertThatThrownBy(() -> validate(before, settled)).isNotNull();
        assertThat(authority.maintain(1, false)).isFalse();
        assertThat(Certificates.authorityKeyId(leaf().getFirst()))
                .isEqualTo(settled.trust().issuer());
    }

    @Test
    void goesOnWithItAfterARestartBeforeItIsReadAgain() throws Exception {
        Authority between = root.signs(Form.authority("between", "secp256r1"));
        settleOn(given(between.signs(Form.authority("issuer", "RSA2048")), between));
        CertificateAuthority restarted = Authorities.open(directory.resolve("state"), clock);
        assertThat(restarted.state()).isEqualTo(authority.state());
        List<X509Certificate> chain = restarted.sign(Authorities.ecKeys().getPublic(), WEB);
        assertThat(chain).hasSize(3);
        validate(chain, restarted.state());
    }

    @Test
    void takesARenewedIssuerOfTheSameRootAtOnce() throws Exception {
        settleOn(given(root.signs(Form.authority("issuer", "secp256r1"))));
        List<X509Certificate> before = leaf();
        Authority renewed = root.signs(Form.authority("issuer", "secp256r1"));
        authority.want(given(renewed));
        assertThat(authority.maintain(1, true)).isTrue();
        assertThat(authority.state().rotation().phase()).isEqualTo("settled");
        assertThat(authority.state().issuer().certificate()).isEqualTo(renewed.certificate());
        validate(before, authority.state());
        validate(leaf(), authority.state());
        assertThat(authority.maintain(1, true)).isFalse();
    }

    @Test
    void anIssuerThatIsItsOwnRootShowsNoMoreThanTheLeaf() throws Exception {
        Authority own = Issuers.root("own", "secp256r1");
        settleOn(read(own, own));
        List<X509Certificate> before = leaf();
        assertThat(before).hasSize(1);
        validate(before, authority.state());
        // Renewed with the key it had: the certificate is another root, what it signed stays good
        Authority again = Issuers.again(own, Form.authority("own", "secp256r1"), Optional.empty());
        authority.want(read(again, again));
        authority.maintain(1, false);
        authority.maintain(1, false);
        authority.maintain(1, false);
        assertThat(authority.state().roots()).containsExactly(Root.theirs(again.certificate()));
        validate(before, authority.state());
    }

    @Test
    void leavesByOverlapToARootOfItsOwn() throws Exception {
        settleOn(given(root.signs(Form.authority("issuer", "secp256r1"))));
        AuthorityState theirs = authority.state();
        List<X509Certificate> before = leaf();
        authority.want(new WantedIssuer.Ours());
        authority.maintain(1, true);
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
        assertThat(authority.state().issuer()).isEqualTo(theirs.issuer());
        authority.maintain(1, false);
        validate(before, authority.state());
        validate(authority.serve(WEB, List.of(), List.of()).chain(), theirs);
        authority.maintain(1, false);
        assertThat(authority.state().isGiven()).isFalse();
        validate(leaf(), authority.state());
        assertThat(authority.maintain(1, false)).isFalse();
    }

    @Test
    void turnsBackWhenItIsTakenAwayBeforeItSigned() throws Exception {
        AuthorityState ours = authority.state();
        authority.want(given(root.signs(Form.authority("issuer", "secp256r1"))));
        authority.maintain(1, true);
        authority.want(new WantedIssuer.Ours());
        assertThat(authority.maintain(1, true)).isTrue();
        assertThat(authority.state().roots()).isEqualTo(ours.roots());
        assertThat(authority.state().issuer()).isEqualTo(ours.issuer());
        assertThat(authority.maintain(1, false)).isFalse();
    }

    @Test
    void aimsAnewWhenAnotherOneIsGivenBeforeItSigned() throws Exception {
        authority.want(given(root.signs(Form.authority("issuer", "secp256r1"))));
        authority.maintain(1, true);
        Authority other = Issuers.root("other", "secp256r1");
        authority.want(read(other.signs(Form.authority("issuer", "secp256r1")), other));
        clock.pass(Duration.ofSeconds(5));
        assertThat(authority.maintain(1, true)).isTrue();
        assertThat(authority.state().roots()).hasSize(2).endsWith(Root.theirs(other.certificate()));
        assertThat(authority.state().rotation().since())
                .isEqualTo(clock.instant().truncatedTo(ChronoUnit.SECONDS));
    }

    @Test
    void anotherRootGivenWhileOneIsTakenOverComesAfterIt() throws Exception {
        authority.want(given(root.signs(Form.authority("issuer", "secp256r1"))));
        authority.maintain(1, false);
        authority.maintain(1, false);
        assertThat(authority.state().rotation().phase()).isEqualTo("signing");
        List<X509Certificate> between = leaf();
        Authority other = Issuers.root("other", "secp256r1");
        authority.want(read(other.signs(Form.authority("issuer", "secp256r1")), other));
        assertThat(authority.maintain(1, true)).isFalse();
        authority.maintain(1, false);
        authority.maintain(1, true);
        assertThat(authority.state().roots())
                .containsExactly(Root.theirs(root.certificate()), Root.theirs(other.certificate()));
        validate(between, authority.state());
    }

    @Test
    void aGenerationCannotExchangeARootThatIsNotOurs() throws Exception {
        settleOn(given(root.signs(Form.authority("issuer", "secp256r1"))));
        assertThat(authority.maintain(7, false)).isFalse();
        assertThat(authority.state().rotation().generation()).isEqualTo(1);
    }

    @Test
    void refusesAKeyThatMovedToAnotherRoot() throws Exception {
        Authority issuer = root.signs(Form.authority("issuer", "secp256r1"));
        settleOn(given(issuer));
        Authority other = Issuers.root("other", "secp256r1");
        Authority moved = Issuers.again(issuer, Form.authority("issuer", "secp256r1"), Optional.of(other));
        assertThat(IssuerReader.obstacle(issuerOf(read(moved, other)), authority.state()))
                .hasValueSatisfying(refused -> assertThat(refused.field() + " " + refused.sentence())
                        .startsWith("tls.key")
                        .contains("rotationPolicy: Always"));
        Authority renewed = Issuers.again(issuer, Form.authority("issuer", "secp256r1"), Optional.of(root));
        assertThat(IssuerReader.obstacle(issuerOf(given(renewed)), authority.state()))
                .isEmpty();
    }

    @Test
    void goesNeitherOnNorBackWhileItIsNotKnownWhatWasGiven() throws Exception {
        AuthorityState ours = authority.state();
        authority.want(new WantedIssuer.AsItIs());
        assertThat(authority.maintain(1, false)).isFalse();
        assertThat(authority.state()).isEqualTo(ours);
        // Half way to a given one
        WantedIssuer given = given(root.signs(Form.authority("issuer", "secp256r1")));
        authority.want(given);
        authority.maintain(1, false);
        authority.want(new WantedIssuer.AsItIs());
        assertThat(authority.maintain(1, false)).isFalse();
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
        // It signs already: the rest needs it no more
        authority.want(given);
        authority.maintain(1, false);
        authority.want(new WantedIssuer.AsItIs());
        assertThat(authority.maintain(1, false)).isTrue();
        assertThat(authority.state().rotation().phase()).isEqualTo("settled");
        assertThat(authority.maintain(2, false)).isFalse();
    }

    @Test
    void noStepIsTakenBeforeWhatItNeedsIsSpread() throws Exception {
        authority.holdUntil(state -> false);
        authority.maintain(2, false);
        assertThat(authority.state().rotation().phase()).isEqualTo("trusting");
        assertThat(authority.maintain(2, false)).isFalse();
        authority.holdUntil(state -> true);
        assertThat(authority.maintain(2, false)).isTrue();
        assertThat(authority.state().rotation().phase()).isEqualTo("signing");
    }

    private void settleOn(WantedIssuer issuer) throws UnusableState {
        authority.want(issuer);
        for (int i = 0; i < 3; i++) {
            assertThat(authority.maintain(1, false)).isTrue();
        }
        assertThat(authority.state().rotation().phase()).isEqualTo("settled");
    }

    private List<X509Certificate> leaf() {
        return authority.sign(Authorities.ecKeys().getPublic(), WEB);
    }

    private static GivenIssuer issuerOf(WantedIssuer wanted) {
        return ((WantedIssuer.Given) wanted).issuer();
    }

    private WantedIssuer given(Authority issuer, Authority... between) {
        return read(issuer, root, between);
    }

    private WantedIssuer read(Authority issuer, Authority itsRoot, Authority... between) {
        Reading reading = IssuerReader.read(
                IssuerReader.TYPE, Issuers.secret(issuer, itsRoot, between), "cluster.local", clock.instant());
        assertThat(reading).isInstanceOf(Reading.Usable.class);
        return new WantedIssuer.Given(((Reading.Usable) reading).issuer());
    }
}
