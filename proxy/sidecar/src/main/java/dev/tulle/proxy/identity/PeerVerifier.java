package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import java.math.BigInteger;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Accepts a peer's certificate only if it is a workload certificate of the own mesh.
 *
 * <p>That is: a chain of at most three (leaf and two issuers) to an anchor of the bundle, in time give or take {@link #CLOCK_SKEW}; a leaf with a key of the
 * curve P-256 that is no authority, may sign (key usage digitalSignature) and is meant for the side it was shown on (extended key
 * usage); exactly one URI name, of our form, in the trust domain of the bundle. Subject, DNS names and addresses mean nothing. Revocation
 * is by life time.
 *
 * <p>A leaf once accepted is remembered by its bytes until its chain ends, at most {@link #MAX_REMEMBERED} of them; a new bundle
 * makes a new verifier. Safe for use by many threads. Source: SPIFFE X509-SVID, sections 4 and 5; RFC 5280, section 6.
 */
final class PeerVerifier extends X509ExtendedTrustManager {
    static final Duration CLOCK_SKEW = Duration.ofMinutes(5);
    static final int MAX_REMEMBERED = 1024;
    private static final int MAX_CHAIN = 3;
    private static final int DIGITAL_SIGNATURE = 0;
    private static final int KEY_CERT_SIGN = 5;
    private static final int P256_BITS = 256;

    /** How many points the curve P-256 has. Source: SEC 2, 2.4.2. */
    private static final BigInteger P256_ORDER =
            new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

    private final List<X509Certificate> anchors;
    private final String trustDomain;
    private final Clock clock;
    private final Map<Seen, Accepted> accepted = new ConcurrentHashMap<>();

    /** What a leaf was shown for. */
    enum Purpose {
        SERVER("1.3.6.1.5.5.7.3.1"),
        CLIENT("1.3.6.1.5.5.7.3.2");

        private final String extendedKeyUsage;

        Purpose(String extendedKeyUsage) {
            this.extendedKeyUsage = extendedKeyUsage;
        }
    }

    private record Seen(ByteBuffer leaf, Purpose purpose) {}

    /** Whom a leaf proves, and until when its chain may be believed. */
    private record Accepted(SpiffeId identity, Instant until) {}

    /** @throws IllegalArgumentException if an anchor cannot be read or there is none */
    PeerVerifier(TrustBundle bundle, Clock clock) {
        List<X509Certificate> found = new ArrayList<>();
        for (String anchor : bundle.anchors()) {
            found.addAll(Certificates.parse(anchor));
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException(
                    "the trust bundle of '%s' has no anchors".formatted(bundle.trustDomain()));
        }
        this.anchors = List.copyOf(found);
        this.trustDomain = bundle.trustDomain();
        this.clock = clock;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        verify(chain, Purpose.CLIENT);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        verify(chain, Purpose.SERVER);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        verify(chain, Purpose.CLIENT);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        verify(chain, Purpose.SERVER);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        verify(chain, Purpose.CLIENT);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        verify(chain, Purpose.SERVER);
    }

    /** None: a list of names would tell strangers about the mesh, and peers need no hint. */
    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }

    /**
     * Judges a chain and says whom it proves.
     *
     * @param shown leaf first
     * @throws CertificateException with the reason if the peer may not be believed now
     */
    SpiffeId verify(X509Certificate[] shown, Purpose purpose) throws CertificateException {
        if (shown.length == 0) {
            throw new CertificateException("the peer showed no certificate");
        }
        if (shown.length > MAX_CHAIN) {
            throw new CertificateException(
                    "the peer's chain has %d certificates, more than %d".formatted(shown.length, MAX_CHAIN));
        }
        Instant now = clock.instant();
        Seen seen = new Seen(ByteBuffer.wrap(shown[0].getEncoded()), purpose);
        Accepted before = accepted.get(seen);
        if (before != null && now.isBefore(before.until())) {
            return before.identity();
        }
        List<X509Certificate> chain = new ArrayList<>();
        for (X509Certificate certificate : shown) {
            // Netty hands over certificates of its own class; the path validator wants the JDK's.
            chain.add(Certificates.strict(certificate));
        }
        SpiffeId identity = checkLeaf(chain.getFirst(), purpose);
        Instant end = checkPath(chain, now);
        if (accepted.size() >= MAX_REMEMBERED) {
            accepted.clear();
        }
        accepted.put(seen, new Accepted(identity, end));
        return identity;
    }

    private SpiffeId checkLeaf(X509Certificate leaf, Purpose purpose) throws CertificateException {
        if (leaf.getBasicConstraints() >= 0) {
            throw new CertificateException("the peer's certificate is that of an authority, not of a workload");
        }
        if (!isP256(leaf.getPublicKey())) {
            throw new CertificateException("the peer's key is not of the curve P-256, as every workload's is");
        }
        boolean[] keyUsage = leaf.getKeyUsage();
        if (keyUsage == null || !keyUsage[DIGITAL_SIGNATURE] || keyUsage[KEY_CERT_SIGN]) {
            throw new CertificateException("the peer's certificate has not the key usage digitalSignature alone");
        }
        List<String> extended = leaf.getExtendedKeyUsage();
        if (extended == null || !extended.contains(purpose.extendedKeyUsage)) {
            throw new CertificateException("the peer's certificate lacks the extended key usage for a TLS "
                    + purpose.name().toLowerCase(Locale.ROOT));
        }
        SpiffeId identity = PeerIdentity.ofLeaf(leaf)
                .orElseThrow(
                        () -> new CertificateException(
                                "the peer's certificate has not exactly one URI name of the form spiffe://<trust-domain>/ns/<namespace>/sa/<service-account>"));
        if (!identity.trustDomain().equals(trustDomain)) {
            throw new CertificateException(
                    "the peer %s is not of the trust domain '%s'".formatted(identity, trustDomain));
        }
        return identity;
    }

    private static boolean isP256(PublicKey key) {
        return key instanceof ECPublicKey ec
                && ec.getParams().getOrder().equals(P256_ORDER)
                && ec.getParams().getCurve().getField().getFieldSize() == P256_BITS;
    }

    /** Returns until when the chain may be believed. */
    private Instant checkPath(List<X509Certificate> shown, Instant now) throws CertificateException {
        X509Certificate last = shown.getLast();
        List<X509Certificate> path = anchors.contains(last) ? shown.subList(0, shown.size() - 1) : shown;
        if (path.isEmpty() || path.size() > MAX_CHAIN) {
            throw new CertificateException(
                    "the peer's chain does not lead to an anchor in %d steps".formatted(MAX_CHAIN));
        }
        Instant begin = Instant.MIN;
        Instant end = Instant.MAX;
        for (X509Certificate certificate : path) {
            Instant notBefore = certificate.getNotBefore().toInstant();
            Instant notAfter = certificate.getNotAfter().toInstant();
            begin = notBefore.isAfter(begin) ? notBefore : begin;
            end = notAfter.isBefore(end) ? notAfter : end;
        }
        if (now.isBefore(begin.minus(CLOCK_SKEW))) {
            throw new CertificateException("the peer's certificate is not valid before " + begin);
        }
        if (now.isAfter(end.plus(CLOCK_SKEW))) {
            throw new CertificateException("the peer's certificate has ended at " + end);
        }
        if (begin.isAfter(end)) {
            throw new CertificateException("the certificates of the peer's chain share no time");
        }
        Instant at = now.isBefore(begin) ? begin : now.isAfter(end) ? end : now;
        Set<TrustAnchor> valid = new HashSet<>();
        for (X509Certificate anchor : anchors) {
            if (!now.isAfter(anchor.getNotAfter().toInstant().plus(CLOCK_SKEW))) {
                valid.add(new TrustAnchor(anchor, null));
            }
        }
        if (valid.isEmpty()) {
            throw new CertificateException("every anchor of the trust bundle has ended");
        }
        try {
            PKIXParameters parameters = new PKIXParameters(valid);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(at));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
        } catch (CertPathValidatorException e) {
            throw new CertificateException(
                    "the peer's chain does not lead to an anchor of the trust bundle: " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new CertificateException("the peer's chain cannot be verified: " + e.getMessage(), e);
        }
        return end.plus(CLOCK_SKEW);
    }
}
