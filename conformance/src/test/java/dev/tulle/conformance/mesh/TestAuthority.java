package dev.tulle.conformance.mesh;

import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** A certificate authority of one trust domain that signs whatever a test asks for, wrong things too. */
public final class TestAuthority {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String trustDomain;
    private final KeyPair rootKey;
    private final X509Certificate root;
    private final KeyPair issuerKey;
    private final X509Certificate issuer;

    /** Makes a root and an issuer below it. */
    public TestAuthority(String trustDomain) {
        this.trustDomain = trustDomain;
        try {
            Instant now = Instant.now();
            rootKey = newKey();
            X500Principal rootName = new X500Principal("CN=root of " + trustDomain);
            root = sign(rootName, rootKey.getPrivate(), rootName, rootKey, now, Duration.ofDays(1), true, List.of());
            issuerKey = newKey();
            issuer = sign(
                    rootName,
                    rootKey.getPrivate(),
                    new X500Principal("CN=issuer of " + trustDomain),
                    issuerKey,
                    now,
                    Duration.ofDays(1),
                    true,
                    List.of());
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("making an authority", e);
        }
    }

    /**
     * A certificate and its key.
     *
     * @param chain leaf first, then the issuer
     */
    public record Leaf(PrivateKey key, List<X509Certificate> chain) {
        /** PKCS#8. */
        public String keyPem() {
            return pem(new PemObject("PRIVATE KEY", key.getEncoded()));
        }

        public String chainPem() {
            return pem(chain.toArray());
        }
    }

    /** The root, as PEM. */
    public String anchorPem() {
        return pem(root);
    }

    /** Trusts this root alone. */
    public TrustBundle bundle() {
        return new TrustBundle(trustDomain, List.of(anchorPem()), "");
    }

    /** An identity of this trust domain. */
    public SpiffeId identity(String namespace, String serviceAccount) {
        return new SpiffeId(trustDomain, namespace, serviceAccount);
    }

    /** A good leaf. */
    public Leaf leaf(SpiffeId identity) {
        return leaf(List.of(identity.uri()), Instant.now().minusSeconds(60), Duration.ofHours(1), false);
    }

    /** A leaf of any kind: its URI names in order, when it begins, how long it lives, and whether it claims to be an authority. */
    public Leaf leaf(List<String> uris, Instant begin, Duration life, boolean authority) {
        try {
            KeyPair key = newKey();
            X509Certificate leaf = sign(
                    issuer.getSubjectX500Principal(),
                    issuerKey.getPrivate(),
                    new X500Principal("CN=leaf"),
                    key,
                    begin,
                    life,
                    authority,
                    uris);
            return new Leaf(key.getPrivate(), List.of(leaf, issuer));
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("signing " + uris, e);
        }
    }

    private static KeyPair newKey() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private X509Certificate sign(
            X500Principal signer,
            PrivateKey signerKey,
            X500Principal subject,
            KeyPair key,
            Instant begin,
            Duration life,
            boolean authority,
            List<String> uris)
            throws GeneralSecurityException, OperatorCreationException, CertIOException {
        var certificate = new JcaX509v3CertificateBuilder(
                signer,
                new BigInteger(120, RANDOM).add(BigInteger.ONE),
                Date.from(begin),
                Date.from(begin.plus(life)),
                subject,
                key.getPublic());
        var identifiers = new JcaX509ExtensionUtils();
        certificate.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        certificate.addExtension(
                Extension.keyUsage,
                true,
                new KeyUsage(authority ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature));
        certificate.addExtension(
                Extension.subjectKeyIdentifier, false, identifiers.createSubjectKeyIdentifier(key.getPublic()));
        if (!uris.isEmpty()) {
            certificate.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
            }));
            certificate.addExtension(
                    Extension.subjectAlternativeName,
                    true,
                    new GeneralNames(uris.stream()
                            .map(uri -> new GeneralName(GeneralName.uniformResourceIdentifier, uri))
                            .toArray(GeneralName[]::new)));
            certificate.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    identifiers.createAuthorityKeyIdentifier(issuer.getPublicKey()));
        }
        return new JcaX509CertificateConverter()
                .getCertificate(certificate.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signerKey)));
    }

    private static String pem(Object... objects) {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            for (Object object : objects) {
                writer.writeObject(object);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
