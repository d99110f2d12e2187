package dev.tulle.controller.identity;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Certificates for a server that is no part of the mesh: one pair each time, by an authority made for it and thrown away.
 *
 * <p>So nothing that could sign more of them is kept anywhere. Pure but for the random numbers.
 */
public final class ServerCertificates {
    private static final byte[] PROBE = {1};

    private ServerCertificates() {}

    /**
     * A key, its certificate and the authority's, PEM.
     *
     * @param chain the leaf
     * @param key PKCS#8
     * @param authority self-signed
     */
    public record Made(String chain, String key, String authority) {
        /** Never the key. */
        @Override
        public String toString() {
            return "Made[" + chain.length() + " characters]";
        }
    }

    /** A certificate for a server of these DNS names. */
    public static Made make(List<String> names, Duration life, Instant now) {
        Certificates certificates = new Certificates(new SecureRandom());
        SigningKey authority = certificates.serverAuthority(names.getFirst(), life, now);
        KeyPair keys = certificates.newKeyPair();
        X509Certificate leaf = certificates.serverLeaf(keys.getPublic(), names, authority, now);
        return new Made(Pem.of(leaf), Pem.of(keys.getPrivate()), Pem.of(authority.certificate()));
    }

    /**
     * The leaf of a chain, if its key and its authority are those given.
     *
     * @throws GeneralSecurityException when they are not, or something cannot be read
     */
    public static X509Certificate verified(String chain, String key, String authority) throws GeneralSecurityException {
        try {
            X509Certificate leaf = Pem.certificate(chain);
            PrivateKey signing = Pem.key(leaf.getPublicKey().getAlgorithm(), key);
            leaf.verify(Pem.certificate(authority).getPublicKey());
            Signature signer = Signature.getInstance("SHA256withECDSA");
            signer.initSign(signing);
            signer.update(PROBE);
            byte[] signature = signer.sign();
            signer.initVerify(leaf.getPublicKey());
            signer.update(PROBE);
            if (!signer.verify(signature)) {
                throw new GeneralSecurityException("the key does not belong to the certificate");
            }
            return leaf;
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException("the key cannot be read", e);
        }
    }
}
