package dev.tulle.proxy.rehearsal;

import dev.tulle.proxy.identity.Certificates;
import dev.tulle.proxy.identity.Svid;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A root of trust that nobody else knows and that is forgotten with the rehearsal; its key never leaves this object. */
final class ShortLivedAuthority {
    private static final String TRUST_DOMAIN = "rehearsal.invalid";
    private static final X500Name NAME = new X500Name("CN=rehearsal");
    private static final Duration LIFE = Duration.ofHours(1);
    private static final int SERIAL_BITS = 120;

    private final SecureRandom random = new SecureRandom();
    private final KeyPair keys = newKeys();
    private final X509Certificate root = sign(keys, true, "");

    static SpiffeId identity(String serviceAccount) {
        return new SpiffeId(TRUST_DOMAIN, "rehearsal", serviceAccount);
    }

    TrustBundle bundle() {
        return new TrustBundle(TRUST_DOMAIN, List.of(Certificates.pem(List.of(root))), "");
    }

    Svid svid(String serviceAccount) {
        SpiffeId identity = identity(serviceAccount);
        KeyPair own = newKeys();
        return new Svid(own.getPrivate(), List.of(sign(own, false, identity.uri())), identity);
    }

    private static KeyPair newKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK makes no P-256 keys", e);
        }
    }

    private X509Certificate sign(KeyPair own, boolean authority, String uri) {
        Instant now = Instant.now();
        try {
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    NAME,
                    new BigInteger(SERIAL_BITS, random),
                    Date.from(now.minus(LIFE)),
                    Date.from(now.plus(LIFE)),
                    authority ? NAME : new X500Name("CN=leaf"),
                    own.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.digitalSignature));
            if (!authority) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        true,
                        new GeneralNames(new GeneralName(GeneralName.uniformResourceIdentifier, uri)));
                builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                    KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                }));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
        } catch (CertIOException | OperatorCreationException | java.security.cert.CertificateException e) {
            throw new IllegalStateException("the rehearsal has no certificates", e);
        }
    }
}
