package dev.tulle.controller.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Certificate authorities of other people, as cert-manager or openssl would make them, and the Secrets they come in. */
public final class Issuers {
    private Issuers() {}

    /** Somebody's key and certificate. */
    public record Authority(KeyPair keys, X509Certificate certificate) {
        /** One more below it. */
        public Authority signs(Form form) {
            return make(form, Optional.of(this));
        }
    }

    /**
     * How a certificate is to look.
     *
     * @param algorithm {@code RSA2048}, {@code secp384r1}, {@code Ed25519} and the like
     * @param authority whether it may sign; absent path length is unlimited
     * @param usage bits of KeyUsage; 0 leaves it out
     * @param domain to which URI names are constrained; empty for none
     * @param keyId whether it has a subject key identifier, and one that is not computed as ours are
     */
    public record Form(
            String name,
            String algorithm,
            boolean authority,
            OptionalInt pathLength,
            int usage,
            Instant from,
            Duration life,
            String domain,
            boolean keyId) {
        public static Form authority(String name, String algorithm) {
            return new Form(
                    name,
                    algorithm,
                    true,
                    OptionalInt.empty(),
                    KeyUsage.keyCertSign | KeyUsage.digitalSignature,
                    Instant.now().minusSeconds(600),
                    Duration.ofDays(90),
                    "",
                    true);
        }

        public Form asLeaf() {
            return new Form(name, algorithm, false, pathLength, KeyUsage.digitalSignature, from, life, domain, keyId);
        }

        public Form withPathLength(int length) {
            return new Form(name, algorithm, authority, OptionalInt.of(length), usage, from, life, domain, keyId);
        }

        public Form withUsage(int bits) {
            return new Form(name, algorithm, authority, pathLength, bits, from, life, domain, keyId);
        }

        public Form living(Instant begin, Duration length) {
            return new Form(name, algorithm, authority, pathLength, usage, begin, length, domain, keyId);
        }

        public Form constrainedTo(String host) {
            return new Form(name, algorithm, authority, pathLength, usage, from, life, host, keyId);
        }

        public Form withoutKeyId() {
            return new Form(name, algorithm, authority, pathLength, usage, from, life, domain, false);
        }
    }

    /** A root that signed itself. */
    public static Authority root(String name, String algorithm) {
        return root(Form.authority(name, algorithm));
    }

    public static Authority root(Form form) {
        return make(form, Optional.empty());
    }

    public static KeyPair keys(String algorithm) {
        try {
            if (algorithm.startsWith("RSA")) {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
                generator.initialize(Integer.parseInt(algorithm.substring(3)));
                return generator.generateKeyPair();
            }
            if (algorithm.startsWith("Ed")) {
                return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
            }
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(algorithm));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same authority with a certificate of another form: renewed with its old key. */
    public static Authority again(Authority before, Form form, Optional<Authority> signer) {
        return make(form, signer, before.keys());
    }

    private static Authority make(Form form, Optional<Authority> signer) {
        return make(form, signer, keys(form.algorithm()));
    }

    private static Authority make(Form form, Optional<Authority> signer, KeyPair keys) {
        try {
            X500Name name = new X500Name("CN=" + form.name());
            X500Name issuer = signer.map(one -> X500Name.getInstance(
                            one.certificate().getSubjectX500Principal().getEncoded()))
                    .orElse(name);
            PrivateKey signing = signer.map(one -> one.keys().getPrivate()).orElse(keys.getPrivate());
            var builder = new JcaX509v3CertificateBuilder(
                    issuer,
                    BigInteger.valueOf(System.nanoTime()),
                    Date.from(form.from()),
                    Date.from(form.from().plus(form.life())),
                    name,
                    keys.getPublic());
            BasicConstraints constraints = form.pathLength().isPresent()
                    ? new BasicConstraints(form.pathLength().getAsInt())
                    : new BasicConstraints(form.authority());
            builder.addExtension(Extension.basicConstraints, true, constraints);
            if (form.usage() != 0) {
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(form.usage()));
            }
            if (form.keyId()) {
                builder.addExtension(
                        Extension.subjectKeyIdentifier,
                        false,
                        new SubjectKeyIdentifier(MessageDigest.getInstance("SHA-256")
                                .digest(keys.getPublic().getEncoded())));
            }
            if (!form.domain().isEmpty()) {
                var domain = new GeneralName(GeneralName.uniformResourceIdentifier, form.domain());
                builder.addExtension(
                        Extension.nameConstraints,
                        true,
                        new NameConstraints(new GeneralSubtree[] {new GeneralSubtree(domain)}, null));
            }
            String algorithm = switch (signing.getAlgorithm()) {
                case "RSA" -> "SHA256withRSA";
                case "EC" -> "SHA256withECDSA";
                default -> "Ed25519";
            };
            return new Authority(
                    keys,
                    new JcaX509CertificateConverter()
                            .getCertificate(builder.build(new JcaContentSignerBuilder(algorithm).build(signing))));
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The values of the Secret of an issuer under a root. */
    public static Map<String, byte[]> secret(Authority issuer, Authority root, Authority... between) {
        Map<String, byte[]> data = new HashMap<>();
        data.put(
                "tls.crt",
                Pem.of(Stream.concat(Stream.of(issuer), Arrays.stream(between))
                                .map(Authority::certificate)
                                .toList())
                        .getBytes(US_ASCII));
        data.put("tls.key", Pem.of(issuer.keys().getPrivate()).getBytes(US_ASCII));
        data.put("ca.crt", Pem.of(List.of(root.certificate())).getBytes(US_ASCII));
        return data;
    }

    /** A key as openssl used to write it: PKCS#1 for RSA, SEC1 for EC. */
    public static byte[] traditional(KeyPair keys) {
        try {
            PrivateKeyInfo info = PrivateKeyInfo.getInstance(keys.getPrivate().getEncoded());
            if (!(keys.getPrivate() instanceof ECPrivateKey ec)) {
                return Pem.block(
                                "RSA PRIVATE KEY",
                                info.parsePrivateKey().toASN1Primitive().getEncoded())
                        .getBytes(US_ASCII);
            }
            var point = SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded())
                    .getPublicKeyData();
            var key = new org.bouncycastle.asn1.sec.ECPrivateKey(
                    ec.getParams().getOrder().bitLength(),
                    ec.getS(),
                    new DERBitString(point.getBytes()),
                    info.getPrivateKeyAlgorithm().getParameters());
            return Pem.block("EC PRIVATE KEY", key.getEncoded()).getBytes(US_ASCII);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
