package dev.tulle.controller.identity;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * How our three kinds of certificate look: root, issuer, leaf.
 *
 * <p>Made with Bouncy Castle's builders over the JDK's own cryptography; no provider is registered. Source: RFC 5280, SPIFFE
 * X509-SVID sections 2 to 4.
 */
final class Certificates {
    /** Life of a root. */
    static final Duration ROOT_LIFE = Duration.ofDays(3650);

    /** Life of an issuer; the next one is made at two thirds of it. */
    static final Duration ISSUER_LIFE = Duration.ofDays(90);

    private static final int SERIAL_BITS = 128;
    private static final int P256_BITS = 256;

    private final SecureRandom random;

    Certificates(SecureRandom random) {
        this.random = random;
    }

    /** A fresh EC P-256 key pair. */
    KeyPair newKeyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no EC P-256", e);
        }
    }

    /** A self-signed trust anchor of a trust domain. */
    SigningKey root(String trustDomain, Instant now) {
        KeyPair keys = newKeyPair();
        X500Name name = new X500Name("CN=Tulle root " + shortId(keys.getPublic()) + ",O=" + trustDomain);
        SigningKey self = sign(
                name,
                keys,
                keyId(keys.getPublic()),
                name,
                keys,
                now,
                now.plus(ROOT_LIFE),
                builder -> builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(1))
                        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign)));
        return self;
    }

    /** An issuer under a root: signs leaves only, and only names of the trust domain. */
    SigningKey issuer(String trustDomain, SigningKey root, Instant now) {
        KeyPair keys = newKeyPair();
        X500Name name = new X500Name("CN=Tulle issuer " + shortId(keys.getPublic()) + ",O=" + trustDomain);
        Instant end = now.plus(ISSUER_LIFE).isBefore(root.notAfter()) ? now.plus(ISSUER_LIFE) : root.notAfter();
        GeneralName domain = new GeneralName(GeneralName.uniformResourceIdentifier, trustDomain);
        return sign(
                nameOf(root.certificate()),
                new KeyPair(root.certificate().getPublicKey(), root.key()),
                root.id(),
                name,
                keys,
                now,
                end,
                builder -> builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                        .addExtension(
                                Extension.nameConstraints,
                                true,
                                new NameConstraints(new GeneralSubtree[] {new GeneralSubtree(domain)}, null)));
    }

    /** A workload's certificate. Its identity is the URI name alone. */
    X509Certificate leaf(PublicKey key, LeafProfile profile, SigningKey issuer) {
        List<GeneralName> names = new ArrayList<>();
        names.add(new GeneralName(
                GeneralName.uniformResourceIdentifier, profile.identity().uri()));
        profile.dnsNames().forEach(name -> names.add(new GeneralName(GeneralName.dNSName, name)));
        profile.addresses().forEach(address -> names.add(new GeneralName(GeneralName.iPAddress, address)));
        return certify(
                nameOf(issuer.certificate()),
                new KeyPair(issuer.certificate().getPublicKey(), issuer.key()),
                issuer.id(),
                profile.subject(),
                key,
                profile.notBefore(),
                profile.notAfter(),
                builder -> builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                        .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                            KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                        }))
                        .addExtension(
                                Extension.subjectAlternativeName,
                                true,
                                new GeneralNames(names.toArray(GeneralName[]::new))));
    }

    /** An authority for one server's certificate: signs leaves only. */
    SigningKey serverAuthority(String server, Duration life, Instant now) {
        KeyPair keys = newKeyPair();
        X500Name name = new X500Name("CN=Tulle authority for " + server + " " + shortId(keys.getPublic()));
        return sign(
                name,
                keys,
                keyId(keys.getPublic()),
                name,
                keys,
                now,
                now.plus(life),
                builder -> builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign)));
    }

    /** A server's certificate; lives as long as its authority. */
    X509Certificate serverLeaf(PublicKey key, List<String> names, SigningKey authority, Instant now) {
        GeneralName[] dns = names.stream()
                .map(name -> new GeneralName(GeneralName.dNSName, name))
                .toArray(GeneralName[]::new);
        return certify(
                nameOf(authority.certificate()),
                new KeyPair(authority.certificate().getPublicKey(), authority.key()),
                authority.id(),
                new X500Name("CN=" + names.getFirst()),
                key,
                now.minus(LeafProfile.BACKDATING),
                authority.notAfter(),
                builder -> builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                        .addExtension(
                                Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth))
                        .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(dns)));
    }

    /**
     * What leaves of a signer name it by: its subject key identifier, or the usual digest of its key where it has none; lower-case hex.
     *
     * <p>Taken from the certificate, not computed: others digest otherwise. Source: RFC 5280, 4.2.1.1 and 4.2.1.2.
     */
    static String keyId(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId());
        return extension == null
                ? keyId(certificate.getPublicKey())
                : hex(SubjectKeyIdentifier.getInstance(
                                ASN1OctetString.getInstance(extension).getOctets())
                        .getKeyIdentifier());
    }

    /** Authority key identifier as lower-case hex: the subject key identifier of who signed; empty without one. */
    static String authorityKeyId(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(Extension.authorityKeyIdentifier.getId());
        if (extension == null) {
            return "";
        }
        ASN1OctetString id = AuthorityKeyIdentifier.getInstance(
                        ASN1OctetString.getInstance(extension).getOctets())
                .getKeyIdentifierObject();
        return id == null ? "" : hex(id.getOctets());
    }

    static Instant twoThirds(Instant from, Instant to) {
        return from.plus(Duration.between(from, to).multipliedBy(2).dividedBy(3));
    }

    private SigningKey sign(
            X500Name issuerName,
            KeyPair issuer,
            String issuerId,
            X500Name subject,
            KeyPair keys,
            Instant now,
            Instant end,
            Extensions extensions) {
        X509Certificate certificate = certify(
                issuerName,
                issuer,
                issuerId,
                subject,
                keys.getPublic(),
                now.minus(LeafProfile.BACKDATING),
                end,
                extensions);
        return new SigningKey(keys.getPrivate(), certificate);
    }

    private X509Certificate certify(
            X500Name issuerName,
            KeyPair issuer,
            String issuerId,
            X500Name subject,
            PublicKey key,
            Instant notBefore,
            Instant notAfter,
            Extensions extensions) {
        try {
            var ids = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    issuerName,
                    new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS - 1),
                    Date.from(notBefore.truncatedTo(ChronoUnit.SECONDS)),
                    Date.from(notAfter.truncatedTo(ChronoUnit.SECONDS)),
                    subject,
                    key);
            extensions.addTo(builder);
            builder.addExtension(Extension.subjectKeyIdentifier, false, ids.createSubjectKeyIdentifier(key));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    new AuthorityKeyIdentifier(HexFormat.of().parseHex(issuerId)));
            var signer = new JcaContentSignerBuilder(signatureBy(issuer.getPublic())).build(issuer.getPrivate());
            return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        } catch (GeneralSecurityException | IOException | OperatorException e) {
            throw new IllegalStateException("a certificate could not be made for " + subject, e);
        }
    }

    private static X500Name nameOf(X509Certificate certificate) {
        return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
    }

    private static String shortId(PublicKey key) {
        return keyId(key).substring(0, 8);
    }

    /** What a key of this kind signs by; the digest is as strong as the key. */
    private static String signatureBy(PublicKey key) {
        if (!(key instanceof ECPublicKey ec)) {
            return "SHA256withRSA";
        }
        return ec.getParams().getCurve().getField().getFieldSize() <= P256_BITS ? "SHA256withECDSA" : "SHA384withECDSA";
    }

    private static String keyId(PublicKey key) {
        try {
            return hex(
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(key).getKeyIdentifier());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-1", e);
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private interface Extensions {
        void addTo(X509v3CertificateBuilder builder) throws IOException;
    }
}
