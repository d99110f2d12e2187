package dev.tulle.controller.identity;

import dev.tulle.proxy.model.SpiffeId;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** What tests of certificates need: authorities in temporary directories, keys, requests, and a clock that is set by hand. */
public final class Authorities {
    public static final SpiffeId WEB = new SpiffeId("cluster.local", "shop", "web");

    private Authorities() {}

    public static CertificateAuthority open(Path directory, Clock clock) throws UnusableState {
        return CertificateAuthority.open(
                new StateDirectory(directory), Optional.empty(), clock, CertificateAuthority.DEFAULT_LEAF_LIFE);
    }

    public static CertificateAuthority open(Path directory, String trustDomain, Clock clock) throws UnusableState {
        return CertificateAuthority.open(
                new StateDirectory(directory), Optional.of(trustDomain), clock, CertificateAuthority.DEFAULT_LEAF_LIFE);
    }

    public static KeyPair ecKeys() {
        return keys("EC", "secp256r1");
    }

    public static KeyPair keys(String algorithm, String curve) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A PKCS#10 request for a key, signed by it. */
    public static String request(KeyPair keys) {
        return request(keys, keys, "SHA256withECDSA");
    }

    /** A request for one key that is signed by another. */
    public static String request(KeyPair asked, KeyPair signer, String signature) {
        try {
            var builder = new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=ignored"), asked.getPublic());
            var request = builder.build(new JcaContentSignerBuilder(signature).build(signer.getPrivate()));
            return Pem.block("CERTIFICATE REQUEST", request.getEncoded());
        } catch (OperatorCreationException | java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A clock that moves only when it is told to. */
    public static final class HandClock extends Clock {
        private volatile Instant now;

        public HandClock(Instant now) {
            this.now = now;
        }

        public static HandClock atNow() {
            return new HandClock(InstantSource.system().instant());
        }

        public synchronized void pass(Duration time) {
            now = now.plus(time);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
