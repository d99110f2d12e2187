package dev.tulle.controller.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.controller.identity.IssuerReader.Reading;
import dev.tulle.controller.identity.Issuers.Authority;
import dev.tulle.controller.identity.Issuers.Form;
import java.io.StringWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcePEMEncryptorBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IssuerReaderTest {
    private static final Authority ROOT = Issuers.root("root", "secp256r1");
    private final Instant now = Clock.systemUTC().instant();

    @ParameterizedTest
    @CsvSource({
        "secp256r1, secp256r1",
        "secp384r1, secp384r1",
        "secp384r1, secp256r1",
        "RSA2048, RSA2048",
        "RSA4096, secp256r1",
        "secp256r1, RSA3072"
    })
    void takesEveryKindOfKeyThatProxiesVerify(String rootKey, String issuerKey) {
        Authority root = Issuers.root("root", rootKey);
        Authority issuer = root.signs(Form.authority("issuer", issuerKey));
        GivenIssuer given = usable(Issuers.secret(issuer, root));
        assertThat(given.root()).isEqualTo(root.certificate());
        assertThat(given.issuer().certificate()).isEqualTo(issuer.certificate());
        assertThat(given.issuer().above()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA2048", "secp256r1", "secp384r1"})
    void readsKeysAsOpensslUsedToWriteThem(String algorithm) {
        Authority issuer = ROOT.signs(Form.authority("issuer", algorithm));
        Map<String, byte[]> data = Issuers.secret(issuer, ROOT);
        data.put("tls.key", Issuers.traditional(issuer.keys()));
        assertThat(new String(data.get("tls.key"), US_ASCII)).containsPattern("BEGIN (RSA|EC) PRIVATE KEY");
        assertThat(usable(data).issuer().key()).isEqualTo(issuer.keys().getPrivate());
    }

    @Test
    void takesTheCurveFromTheCertificateWhereTheKeyDoesNotNameIt() throws Exception {
        Authority issuer = ROOT.signs(Form.authority("issuer", "secp384r1"));
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(issuer.keys().getPrivate());
        }
        assertThat(usable(with(Issuers.secret(issuer, ROOT), "tls.key", text.toString()))
                        .issuer()
                        .key())
                .isEqualTo(issuer.keys().getPrivate());
    }

    @Test
    void readsAKeyBehindItsCurve() {
        Authority issuer = ROOT.signs(Form.authority("issuer", "secp256r1"));
        Map<String, byte[]> data = Issuers.secret(issuer, ROOT);
        String key = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                + new String(Issuers.traditional(issuer.keys()), US_ASCII);
        data.put("tls.key", key.getBytes(US_ASCII));
        assertThat(usable(data).issuer().key()).isEqualTo(issuer.keys().getPrivate());
    }

    @Test
    void takesOneCertificateBetweenIssuerAndRoot() {
        Authority between = ROOT.signs(Form.authority("between", "RSA2048"));
        Authority issuer = between.signs(Form.authority("issuer", "secp256r1").withPathLength(0));
        assertThat(usable(Issuers.secret(issuer, ROOT, between)).issuer().above())
                .containsExactly(between.certificate());
        assertThat(usable(Issuers.secret(issuer, ROOT, between, ROOT)).issuer().above())
                .as("the root at the end of tls.crt is left away")
                .containsExactly(between.certificate());
    }

    @Test
    void takesAnIssuerThatIsItsOwnRoot() {
        Authority own = Issuers.root("own", "RSA2048");
        Map<String, byte[]> data = Issuers.secret(own, own);
        assertThat(usable(data).root()).isEqualTo(own.certificate());
        data.remove("ca.crt");
        assertThat(usable(data).root()).isEqualTo(own.certificate());
    }

    @Test
    void findsTheRootAmongSeveral() {
        Authority issuer = ROOT.signs(Form.authority("issuer", "secp256r1"));
        Authority other = Issuers.root("other", "secp256r1");
        Map<String, byte[]> data = Issuers.secret(issuer, ROOT);
        data.put(
                "ca.crt",
                Pem.of(List.of(other.certificate(), ROOT.certificate())).getBytes(US_ASCII));
        assertThat(usable(data).root()).isEqualTo(ROOT.certificate());
    }

    @Test
    void takesAnIssuerWithoutAKeyIdentifierOrUsage() {
        Authority issuer =
                ROOT.signs(Form.authority("issuer", "secp256r1").withoutKeyId().withUsage(0));
        assertThat(usable(Issuers.secret(issuer, ROOT)).issuer().id()).matches("[0-9a-f]{40}");
    }

    @Test
    void refusesEachWrongFieldByItsNameAndSaysTheCure() throws Exception {
        Authority issuer = ROOT.signs(Form.authority("issuer", "secp256r1"));
        Authority other = ROOT.signs(Form.authority("other", "secp256r1"));
        Map<String, byte[]> good = Issuers.secret(issuer, ROOT);

        assertThat(IssuerReader.read("Opaque", good, "cluster.local", now))
                .isEqualTo(new Reading.Refused(
                        "type", "is Opaque, not kubernetes.io/tls: make the Secret anew with that type"));
        refused(without(good, "tls.crt"), "tls.crt", "is empty");
        refused(without(good, "tls.key"), "tls.key", "is empty");
        refused(without(good, "ca.crt"), "ca.crt", "is empty, and tls.crt does not end in a root");
        refused(with(good, "tls.crt", "hello"), "tls.crt", "");
        refused(
                with(good, "tls.crt", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"),
                "tls.crt",
                "");
        refused(with(good, "tls.crt", "x".repeat(70_000)), "tls.crt", "longer than 65536 bytes");
        refused(with(good, "tls.key", "hello"), "tls.key", "no private key");
        refused(
                with(good, "tls.key", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"),
                "tls.key",
                "cannot be read");
        refused(with(good, "tls.key", Pem.of(other.keys().getPrivate())), "tls.key", "does not belong to the first");
        refused(with(good, "tls.key", Pem.of(Issuers.keys("RSA2048").getPrivate())), "tls.key", "does not belong");
        refused(with(good, "tls.key", encrypted(issuer)), "tls.key", "is encrypted");
        refused(
                with(good, "tls.key", Pem.of(Issuers.keys("Ed25519").getPrivate())),
                "tls.key",
                "proxies verify EC P-256");
        refused(
                with(good, "ca.crt", Pem.of(Issuers.root("root", "secp256r1").certificate())),
                "ca.crt",
                "is not the root that tls.crt leads to");
        refused(
                with(good, "tls.crt", Pem.of(List.of(ROOT.certificate(), issuer.certificate()))),
                "tls.crt",
                "wrong order");
    }

    @Test
    void refusesWhatMayNotSignOrMayNotBeBelieved() {
        refusedIssuer(Form.authority("issuer", "secp256r1").asLeaf(), "set isCA: true");
        refusedIssuer(
                Form.authority("issuer", "secp256r1").withUsage(KeyUsage.digitalSignature), "key usage 'cert sign'");
        refusedIssuer(
                Form.authority("issuer", "secp256r1").living(now.minus(Duration.ofDays(9)), Duration.ofDays(8)),
                "ended at");
        refusedIssuer(
                Form.authority("issuer", "secp256r1").living(now.plus(Duration.ofHours(1)), Duration.ofDays(8)),
                "in the future");
        refusedIssuer(Form.authority("issuer", "RSA1024"), "RSA of 1024 bits");
        refusedIssuer(Form.authority("issuer", "secp521r1"), "EC of 521 bits");
        refusedIssuer(Form.authority("issuer", "secp256r1").constrainedTo("elsewhere.example"), "name constraints");
    }

    @Test
    void refusesARootThatMayNotSignSoDeep() {
        Authority shallow = Issuers.root(Form.authority("root", "secp256r1").withPathLength(0));
        Authority issuer = shallow.signs(Form.authority("issuer", "secp256r1"));
        Authority between = shallow.signs(Form.authority("between", "secp256r1"));
        usable(Issuers.secret(issuer, shallow));
        Authority narrow = ROOT.signs(Form.authority("narrow", "secp256r1").withPathLength(0));
        refused(
                Issuers.secret(narrow.signs(Form.authority("deep", "secp256r1")), ROOT, narrow),
                "tls.crt",
                "path length");
        Authority second = between.signs(Form.authority("second", "secp256r1"));
        refused(
                Issuers.secret(second.signs(Form.authority("third", "secp256r1")), shallow, second, between),
                "tls.crt",
                "2 certificates between");
    }

    @Test
    void refusesARootThatHasEnded() {
        Authority old = Issuers.root(
                Form.authority("root", "secp256r1").living(now.minus(Duration.ofDays(9)), Duration.ofDays(8)));
        refused(Issuers.secret(old.signs(Form.authority("issuer", "secp256r1")), old), "ca.crt", "the root ended at");
    }

    private void refusedIssuer(Form form, String because) {
        refused(Issuers.secret(ROOT.signs(form), ROOT), "tls.crt", because);
    }

    private GivenIssuer usable(Map<String, byte[]> data) {
        Reading reading = IssuerReader.read(IssuerReader.TYPE, data, "cluster.local", now);
        assertThat(reading).isInstanceOf(Reading.Usable.class);
        return ((Reading.Usable) reading).issuer();
    }

    private void refused(Map<String, byte[]> data, String field, String because) {
        assertThat(IssuerReader.read(IssuerReader.TYPE, data, "cluster.local", now))
                .isInstanceOfSatisfying(Reading.Refused.class, refused -> {
                    assertThat(refused.field()).as(refused.sentence()).isEqualTo(field);
                    assertThat(refused.sentence()).contains(because).doesNotContain("\n");
                });
    }

    private static Map<String, byte[]> without(Map<String, byte[]> good, String field) {
        Map<String, byte[]> data = new HashMap<>(good);
        data.remove(field);
        return data;
    }

    private static Map<String, byte[]> with(Map<String, byte[]> good, String field, String value) {
        Map<String, byte[]> data = new HashMap<>(good);
        data.put(field, value.getBytes(US_ASCII));
        return data;
    }

    private static String encrypted(Authority issuer) throws Exception {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(
                    issuer.keys().getPrivate(),
                    new JcePEMEncryptorBuilder("AES-128-CBC")
                            .setProvider(new BouncyCastleProvider())
                            .build("secret".toCharArray()));
        }
        return text.toString();
    }
}
