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
import java.util.ArrayList;
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

    /**
     * What may be odd about a leaf that is in time and from the right issuer.
     *
     * @param algorithm of the key: {@code RSA}, or the name of a curve
     * @param names all alternative names
     * @param purposes extended key usages; none leaves the extension out
     * @param usage bits of the key usage; 0 leaves the extension out
     * @param links certificates between leaf and root, one is usual
     */
    public record Shape(String algorithm, List<GeneralName> names, List<KeyPurposeId> purposes, int usage, int links) {
        /** A good leaf of an identity, to be changed in one thing. */
        public static Shape good(String uri) {
            return new Shape(
                    "secp256r1",
                    List.of(new GeneralName(GeneralName.uniformResourceIdentifier, uri)),
                    List.of(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth),
                    KeyUsage.digitalSignature,
                    1);
        }

        public Shape withAlgorithm(String other) {
            return new Shape(other, names, purposes, usage, links);
        }

        public Shape withNames(GeneralName... other) {
            return new Shape(algorithm, List.of(other), purposes, usage, links);
        }

        public Shape withPurposes(KeyPurposeId... other) {
            return new Shape(algorithm, names, List.of(other), usage, links);
        }

        public Shape withUsage(int other) {
            return new Shape(algorithm, names, purposes, other, links);
        }

        public Shape withLinks(int other) {
            return new Shape(algorithm, names, purposes, usage, other);
        }
    }

    /** A leaf of an odd shape. */
    public Leaf leaf(Shape shape) {
        try {
            Instant now = Instant.now().minusSeconds(60);
            List<X509Certificate> chain = new ArrayList<>(List.of(issuer));
            KeyPair signer = issuerKey;
            for (int i = 1; i < shape.links(); i++) {
                KeyPair key = newKey();
                X500Principal name = new X500Principal("CN=link " + i);
                chain.addFirst(sign(
                        chain.getFirst().getSubjectX500Principal(),
                        signer.getPrivate(),
                        name,
                        key,
                        now,
                        Duration.ofHours(1),
                        true,
                        List.of()));
                signer = key;
            }
            KeyPair key = shape.algorithm().equals("RSA")
                    ? KeyPairGenerator.getInstance("RSA").generateKeyPair()
                    : newKey(shape.algorithm());
            var certificate = new JcaX509v3CertificateBuilder(
                    chain.getFirst().getSubjectX500Principal(),
                    new BigInteger(120, RANDOM).add(BigInteger.ONE),
                    Date.from(now),
                    Date.from(now.plus(Duration.ofHours(1))),
                    new X500Principal("CN=leaf"),
                    key.getPublic());
            certificate.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            if (shape.usage() != 0) {
                certificate.addExtension(Extension.keyUsage, true, new KeyUsage(shape.usage()));
            }
            if (!shape.purposes().isEmpty()) {
                certificate.addExtension(
                        Extension.extendedKeyUsage,
                        false,
                        new ExtendedKeyUsage(shape.purposes().toArray(KeyPurposeId[]::new)));
            }
            if (!shape.names().isEmpty()) {
                certificate.addExtension(
                        Extension.subjectAlternativeName,
                        true,
                        new GeneralNames(shape.names().toArray(GeneralName[]::new)));
            }
            chain.addFirst(new JcaX509CertificateConverter()
                    .getCertificate(certificate.build(
                            new JcaContentSignerBuilder("SHA256withECDSA").build(signer.getPrivate()))));
            return new Leaf(key.getPrivate(), List.copyOf(chain));
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("signing " + shape, e);
        }
    }

    private static KeyPair newKey() throws GeneralSecurityException {
        return newKey("secp256r1");
    }

    private static KeyPair newKey(String curve) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
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
