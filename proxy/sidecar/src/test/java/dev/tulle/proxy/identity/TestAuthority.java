package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A root and an issuer made in a test, and certificates of every good and bad kind from them. */
public final class TestAuthority {
    public static final String TRUST_DOMAIN = "cluster.local";

    private final KeyPair rootKeys = keys();
    private final X509Certificate root;
    private final KeyPair issuerKeys = keys();
    private final X509Certificate issuer;

    /** An authority whose certificates are good for years. */
    public TestAuthority() {
        root = authority("root", rootKeys.getPublic(), rootKeys, null, Duration.ofDays(3650), 1);
        issuer = authority("issuer", issuerKeys.getPublic(), rootKeys, root, Duration.ofDays(90), 0);
    }

    public static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public X509Certificate root() {
        return root;
    }

    public X509Certificate issuer() {
        return issuer;
    }

    /** Lower-case hex subject key identifier of the issuer. */
    public String issuerId() {
        return keyId(issuerKeys.getPublic());
    }

    public TrustBundle trust() {
        return new TrustBundle(TRUST_DOMAIN, List.of(Certificates.pem(List.of(root))), issuerId());
    }

    /** A good certificate for this identity. */
    public Svid svid(String namespace, String serviceAccount) {
        SpiffeId identity = new SpiffeId(TRUST_DOMAIN, namespace, serviceAccount);
        KeyPair keys = keys();
        return new Svid(
                keys.getPrivate(), List.of(leaf().uri(identity.uri()).sign(keys.getPublic()), issuer), identity);
    }

    /** The chain of a leaf, ready to be shown. */
    public X509Certificate[] chain(X509Certificate leaf) {
        return new X509Certificate[] {leaf, issuer};
    }

    /** A leaf that is good but for what is changed. */
    public Leaf leaf() {
        return new Leaf();
    }

    /** What a leaf is made of. */
    public final class Leaf {
        private final List<GeneralName> names = new ArrayList<>();
        private Instant notBefore = Instant.now().minus(Duration.ofMinutes(5));
        private Instant notAfter = Instant.now().plus(Duration.ofHours(24));
        private String subject = "";
        private boolean ca;
        private int keyUsage = KeyUsage.digitalSignature;
        private List<KeyPurposeId> purposes = List.of(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth);
        private boolean byRoot;

        public Leaf uri(String uri) {
            names.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri));
            return this;
        }

        public Leaf dns(String name) {
            names.add(new GeneralName(GeneralName.dNSName, name));
            return this;
        }

        public Leaf subject(String distinguishedName) {
            subject = distinguishedName;
            return this;
        }

        public Leaf valid(Instant from, Instant to) {
            notBefore = from;
            notAfter = to;
            return this;
        }

        public Leaf ca() {
            ca = true;
            return this;
        }

        public Leaf keyUsage(int bits) {
            keyUsage = bits;
            return this;
        }

        public Leaf purposes(KeyPurposeId... only) {
            purposes = Arrays.asList(only);
            return this;
        }

        /** Signed by the root itself instead of the issuer. */
        public Leaf byRoot() {
            byRoot = true;
            return this;
        }

        public X509Certificate sign(PublicKey key) {
            X509Certificate by = byRoot ? root : issuer;
            KeyPair signing = byRoot ? rootKeys : issuerKeys;
            try {
                JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                        by.getSubjectX500Principal(),
                        serial(),
                        Date.from(notBefore),
                        Date.from(notAfter),
                        new X500Principal(subject),
                        key);
                JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
                builder.addExtension(Extension.authorityKeyIdentifier, false, utils.createAuthorityKeyIdentifier(by));
                if (keyUsage != 0) {
                    builder.addExtension(Extension.keyUsage, true, new KeyUsage(keyUsage));
                }
                if (!purposes.isEmpty()) {
                    builder.addExtension(
                            Extension.extendedKeyUsage,
                            false,
                            new ExtendedKeyUsage(purposes.toArray(KeyPurposeId[]::new)));
                }
                if (!names.isEmpty()) {
                    builder.addExtension(
                            Extension.subjectAlternativeName,
                            true,
                            new GeneralNames(names.toArray(GeneralName[]::new)));
                }
                return new JcaX509CertificateConverter()
                        .getCertificate(builder.build(
                                new JcaContentSignerBuilder("SHA256withECDSA").build(signing.getPrivate())));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static X509Certificate authority(
            String name, PublicKey key, KeyPair signing, @Nullable X509Certificate by, Duration life, int pathLength) {
        try {
            X500Principal subject = new X500Principal("CN=" + name);
            Instant now = Instant.now();
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    by == null ? subject : by.getSubjectX500Principal(),
                    serial(),
                    Date.from(now.minus(Duration.ofDays(1))),
                    Date.from(now.plus(life)),
                    subject,
                    key);
            JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(pathLength));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(Extension.subjectKeyIdentifier, false, utils.createSubjectKeyIdentifier(key));
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signing.getPrivate())));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static String keyId(PublicKey key) {
        try {
            return HexFormat.of()
                    .formatHex(new JcaX509ExtensionUtils()
                            .createSubjectKeyIdentifier(key)
                            .getKeyIdentifier());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static BigInteger serial() {
        return new BigInteger(120, new SecureRandom());
    }
}
