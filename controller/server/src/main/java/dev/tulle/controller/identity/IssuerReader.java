package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;

/**
 * Reads an issuer in the form cert-manager writes, and says field by field why one cannot be used. Pure.
 *
 * <p>{@code tls.crt}: the issuer, then at most one certificate between it and the root; the root itself may follow. {@code tls.key}: its
 * key, PKCS#8, PKCS#1 or SEC1, not encrypted. {@code ca.crt}: the root. Keys are EC P-256, EC P-384 or RSA of 2048 to 8192 bits: what
 * every proxy can verify in a handshake. At last a leaf is signed by it and traced to the root, so that whatever else would make
 * proxies refuse it (name constraints, path lengths, unknown critical extensions) is found before anything depends on it.
 */
public final class IssuerReader {
    /** The type a Secret of this form has. */
    public static final String TYPE = "kubernetes.io/tls";

    private static final String CHAIN = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String ROOT = "ca.crt";
    private static final int MAX_BYTES = 64 << 10;
    private static final int KEY_CERT_SIGN = 5;
    private static final int MIN_RSA_BITS = 2048;
    private static final int MAX_RSA_BITS = 8192;
    private static final Set<Integer> CURVES = Set.of(256, 384);
    private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(5);
    private static final byte[] PROBE = "does the key belong to the certificate?".getBytes(StandardCharsets.US_ASCII);

    private IssuerReader() {}

    /** What came of reading. */
    public sealed interface Reading {
        /** It can sign. */
        record Usable(GivenIssuer issuer) implements Reading {
            public Usable {
                requireNonNull(issuer, "issuer");
            }
        }

        /**
         * It cannot.
         *
         * @param field which one
         * @param sentence what is wrong with it, and the cure
         */
        record Refused(String field, String sentence) implements Reading {
            public Refused {
                requireNonNull(field, "field");
                requireNonNull(sentence, "sentence");
            }
        }
    }

    /**
     * Judges a Secret.
     *
     * @param type of the Secret
     * @param data its values, decoded
     * @param trustDomain of the identities it would sign
     */
    public static Reading read(String type, Map<String, byte[]> data, String trustDomain, Instant now) {
        try {
            if (!type.equals(TYPE)) {
                throw new Wrong("type", "is %s, not %s: make the Secret anew with that type".formatted(type, TYPE));
            }
            List<X509Certificate> chain = certificates(data, CHAIN);
            if (chain.isEmpty()) {
                throw new Wrong(CHAIN, "is empty: it needs the issuer's certificate, in PEM");
            }
            X509Certificate issuer = chain.getFirst();
            PrivateKey key = key(data, issuer.getPublicKey());
            requireMatch(key, chain);
            List<X509Certificate> roots = certificates(data, ROOT);
            X509Certificate root = root(chain, roots);
            List<X509Certificate> above = chain.subList(1, chain.size()).stream()
                    .filter(certificate -> !certificate.equals(root))
                    .toList();
            if (above.size() > 1) {
                throw new Wrong(
                        CHAIN,
                        "has %d certificates between the issuer and the root, proxies follow at most 1: sign the issuer with one nearer to the root"
                                .formatted(above.size()));
            }
            requireAuthority(issuer, CHAIN, "the first certificate", now);
            for (X509Certificate certificate : above) {
                requireAuthority(certificate, CHAIN, "the second certificate", now);
            }
            requireAuthority(root, ROOT, "the root", now);
            GivenIssuer given = new GivenIssuer(new SigningKey(key, issuer, above), root);
            rehearse(given, trustDomain, now);
            return new Reading.Usable(given);
        } catch (Wrong e) {
            return new Reading.Refused(e.field, String.valueOf(e.getMessage()));
        }
    }

    /**
     * Why a usable issuer cannot follow what is in effect; empty when it can.
     *
     * <p>Proxies tell issuers apart by their keys. One that brings its key under another root would never be noticed, and what it signed
     * before would end with the old root.
     */
    public static Optional<Reading.Refused> obstacle(GivenIssuer given, AuthorityState state) {
        boolean sameKey = Stream.concat(Stream.of(state.issuer()), state.formerIssuer().stream())
                .anyMatch(signer -> signer.id().equals(given.issuer().id()));
        boolean trusted =
                state.roots().stream().anyMatch(root -> root.certificate().equals(given.root()));
        boolean itsOwnRoot = given.root().equals(given.issuer().certificate());
        return !sameKey || trusted || itsOwnRoot
                ? Optional.empty()
                : Optional.of(
                        new Reading.Refused(
                                KEY,
                                "has signed already under another root than that of ca.crt: have a new key made (privateKey.rotationPolicy: Always in its Certificate)"));
    }

    private static List<X509Certificate> certificates(Map<String, byte[]> data, String field) throws Wrong {
        String pem = text(data, field);
        if (pem.isBlank()) {
            return List.of();
        }
        try {
            List<X509Certificate> found = Pem.certificates(pem);
            if (found.isEmpty()) {
                throw new Wrong(field, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
            }
            return found;
        } catch (GeneralSecurityException e) {
            throw new Wrong(field, "cannot be read as certificates in PEM: write it anew");
        }
    }

    private static String text(Map<String, byte[]> data, String field) throws Wrong {
        byte[] bytes = data.get(field);
        if (bytes == null) {
            return "";
        }
        if (bytes.length > MAX_BYTES) {
            throw new Wrong(field, "is longer than %d bytes".formatted(MAX_BYTES));
        }
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static PrivateKey key(Map<String, byte[]> data, PublicKey certified) throws Wrong {
        String pem = text(data, KEY);
        if (pem.isBlank()) {
            throw new Wrong(KEY, "is empty: it needs the issuer's private key, in PEM");
        }
        try (PemReader reader = new PemReader(new StringReader(pem))) {
            for (PemObject block = reader.readPemObject(); block != null; block = reader.readPemObject()) {
                Optional<PrivateKeyInfo> info = info(block, certified);
                if (info.isPresent()) {
                    return key(info.get());
                }
            }
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            throw new Wrong(KEY, "cannot be read: it needs an EC or RSA key as PKCS#8, PKCS#1 or SEC1 in PEM");
        }
        throw new Wrong(KEY, "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    }

    /** Empty for what stands beside a key, such as the parameters of its curve. */
    private static Optional<PrivateKeyInfo> info(PemObject block, PublicKey certified) throws IOException, Wrong {
        if (!block.getHeaders().isEmpty()) {
            throw encrypted();
        }
        return switch (block.getType()) {
            case "PRIVATE KEY" -> Optional.of(PrivateKeyInfo.getInstance(block.getContent()));
            case "RSA PRIVATE KEY" ->
                Optional.of(new PrivateKeyInfo(
                        new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                        RSAPrivateKey.getInstance(block.getContent())));
            case "EC PRIVATE KEY" -> {
                ECPrivateKey key = ECPrivateKey.getInstance(block.getContent());
                // Some writers name the curve beside the key only; it is that of the certificate, or the two do not
                // match.
                AlgorithmIdentifier curve = key.getParametersObject() == null
                        ? SubjectPublicKeyInfo.getInstance(certified.getEncoded())
                                .getAlgorithm()
                        : new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, key.getParametersObject());
                yield Optional.of(new PrivateKeyInfo(curve, key));
            }
            case "ENCRYPTED PRIVATE KEY" -> throw encrypted();
            default -> Optional.empty();
        };
    }

    private static PrivateKey key(PrivateKeyInfo info) throws GeneralSecurityException, IOException, Wrong {
        ASN1ObjectIdentifier kind = info.getPrivateKeyAlgorithm().getAlgorithm();
        String algorithm;
        if (kind.equals(PKCSObjectIdentifiers.rsaEncryption)) {
            algorithm = "RSA";
        } else if (kind.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
            algorithm = "EC";
        } else {
            throw new Wrong(KEY, "is of the kind %s: proxies verify EC P-256, EC P-384 and RSA".formatted(kind));
        }
        KeyFactory keys = KeyFactory.getInstance(algorithm);
        PrivateKey key = keys.generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
        // What else an encoding carries, such as the public key, would make two of one key.
        return key instanceof java.security.interfaces.ECPrivateKey ec
                ? keys.generatePrivate(new ECPrivateKeySpec(ec.getS(), ec.getParams()))
                : key;
    }

    private static Wrong encrypted() {
        return new Wrong(KEY, "is encrypted: put it in without a passphrase, the Secret protects it");
    }

    private static void requireMatch(PrivateKey key, List<X509Certificate> chain) throws Wrong {
        if (belongs(key, chain.getFirst().getPublicKey())) {
            return;
        }
        for (X509Certificate other : chain) {
            if (belongs(key, other.getPublicKey())) {
                throw new Wrong(CHAIN, "is in the wrong order: the certificate of tls.key comes first");
            }
        }
        throw new Wrong(
                KEY, "does not belong to the first certificate of tls.crt: put in the pair that was made together");
    }

    private static boolean belongs(PrivateKey key, PublicKey certified) {
        String kind = certified.getAlgorithm();
        if (!key.getAlgorithm().equals(kind)) {
            return false;
        }
        try {
            String algorithm = kind.equals("EC") ? "SHA256withECDSA" : "SHA256withRSA";
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(PROBE);
            byte[] signature = signer.sign();
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(certified);
            verifier.update(PROBE);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The anchor to be trusted: the one of ca.crt that the chain leads to. */
    private static X509Certificate root(List<X509Certificate> chain, List<X509Certificate> roots) throws Wrong {
        X509Certificate last = chain.getLast();
        if (roots.isEmpty()) {
            if (isSignedBy(last, last)) {
                return last;
            }
            throw new Wrong(
                    ROOT,
                    "is empty, and tls.crt does not end in a root: put the root's certificate there (cert-manager does for issuers of the kinds CA, SelfSigned and Vault)");
        }
        for (X509Certificate root : roots) {
            if (chain.contains(root) || isSignedBy(last, root)) {
                return root;
            }
        }
        throw new Wrong(
                ROOT,
                "is not the root that tls.crt leads to: its last certificate was signed by '%s'"
                        .formatted(last.getIssuerX500Principal().getName()));
    }

    private static boolean isSignedBy(X509Certificate certificate, X509Certificate signer) {
        try {
            if (!certificate.getIssuerX500Principal().equals(signer.getSubjectX500Principal())) {
                return false;
            }
            certificate.verify(signer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static void requireAuthority(X509Certificate certificate, String field, String which, Instant now)
            throws Wrong {
        if (certificate.getBasicConstraints() < 0) {
            throw new Wrong(
                    field,
                    "%s may not sign others: it is a leaf, not a CA; set isCA: true in its Certificate"
                            .formatted(which));
        }
        boolean[] usage = certificate.getKeyUsage();
        if (usage != null && !usage[KEY_CERT_SIGN]) {
            throw new Wrong(
                    field,
                    "%s lacks the key usage 'cert sign': add it to the usages of its Certificate".formatted(which));
        }
        PublicKey key = certificate.getPublicKey();
        boolean good = switch (key) {
            case ECPublicKey ec ->
                CURVES.contains(ec.getParams().getCurve().getField().getFieldSize());
            case RSAPublicKey rsa ->
                rsa.getModulus().bitLength() >= MIN_RSA_BITS && rsa.getModulus().bitLength() <= MAX_RSA_BITS;
            default -> false;
        };
        if (!good) {
            throw new Wrong(
                    field,
                    "%s has a key of the kind %s: proxies verify EC P-256, EC P-384 and RSA of %d to %d bits"
                            .formatted(which, kind(key), MIN_RSA_BITS, MAX_RSA_BITS));
        }
        String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        boolean signedByItself = certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
        if (!signedByItself && (signature.startsWith("SHA1") || signature.startsWith("MD"))) {
            throw new Wrong(field, "%s was signed with %s: have it signed with SHA-256".formatted(which, signature));
        }
        Instant end = certificate.getNotAfter().toInstant();
        if (!now.isBefore(end)) {
            throw new Wrong(field, "%s ended at %s: let it be renewed".formatted(which, end));
        }
        Instant begin = certificate.getNotBefore().toInstant();
        if (now.isBefore(begin.minus(CLOCK_TOLERANCE))) {
            throw new Wrong(field, "%s begins at %s, in the future: check the clocks".formatted(which, begin));
        }
    }

    private static String kind(PublicKey key) {
        return switch (key) {
            case ECPublicKey ec ->
                "EC of %d bits".formatted(ec.getParams().getCurve().getField().getFieldSize());
            case RSAPublicKey rsa -> "RSA of %d bits".formatted(rsa.getModulus().bitLength());
            default -> key.getAlgorithm();
        };
    }

    /** Signs a leaf of the mesh and traces it to the root, as every proxy will. */
    private static void rehearse(GivenIssuer given, String trustDomain, Instant now) throws Wrong {
        SigningKey issuer = given.issuer();
        Certificates certificates = new Certificates(new SecureRandom());
        KeyPair keys = certificates.newKeyPair();
        LeafProfile profile = LeafProfile.ofWorkload(
                        new SpiffeId(trustDomain, "default", "default"), now, Duration.ofMinutes(1), issuer.notAfter())
                .ofInstance("rehearsal");
        try {
            List<X509Certificate> path = new ArrayList<>();
            path.add(certificates.leaf(keys.getPublic(), profile, issuer));
            path.add(issuer.certificate());
            path.addAll(issuer.above());
            path.remove(given.root());
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(given.root(), null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        } catch (CertPathValidatorException e) {
            throw new Wrong(
                    CHAIN,
                    "cannot sign identities of %s that proxies would believe: %s; look at its path length and name constraints"
                            .formatted(trustDomain, e.getMessage()));
        } catch (GeneralSecurityException | IllegalStateException e) {
            throw new Wrong(CHAIN, "cannot sign identities of %s: %s".formatted(trustDomain, e.getMessage()));
        }
    }

    /** Ends the reading. */
    private static final class Wrong extends Exception {
        private static final long serialVersionUID = 1;

        private final String field;

        Wrong(String field, String message) {
            super(message);
            this.field = field;
        }
    }
}
