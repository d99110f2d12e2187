package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whom a client certificate proves, judged against the anchors of this moment.
 *
 * <p>The TLS handshake has only proved that the caller holds the key; everything else is decided here, for every request anew, so
 * that a changed bundle counts at once and a refusal can say why. Pure. Source: RFC 5280 section 6 as the JDK does it, SPIFFE
 * X509-SVID sections 4 and 5.
 */
public final class PeerVerifier {
    /** Longest chain: leaf and two issuers. */
    static final int MAX_CHAIN = 3;

    /** How far the two clocks may differ. */
    static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(5);

    private static final int URI_NAME = 6;
    private static final int MAX_QUOTED = 200;
    private static final String CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";

    private PeerVerifier() {}

    /**
     * Judges a chain.
     *
     * @param chain leaf first, as it was presented; may be empty
     */
    public static Judgement judge(List<X509Certificate> chain, AuthorityState state, Instant now) {
        if (chain.isEmpty()) {
            return refused("This call needs the proxy's certificate; enrol first with a join token.");
        }
        if (chain.size() > MAX_CHAIN) {
            return refused(
                    "The certificate chain has %d certificates, more than %d.".formatted(chain.size(), MAX_CHAIN));
        }
        X509Certificate leaf = chain.getFirst();
        Optional<String> uri = onlyUri(leaf);
        Optional<SpiffeId> identity = uri.flatMap(SpiffeId::parse);
        if (identity.isEmpty()) {
            return refused("The certificate does not carry exactly one identity of the form"
                    + " spiffe://<trust-domain>/ns/<namespace>/sa/<service-account>.");
        }
        if (!identity.get().trustDomain().equals(state.trustDomain())) {
            return refused(
                    "The certificate is of the trust domain '%s', this mesh is '%s'; enrol with a join token of this controller."
                            .formatted(shortened(identity.get().trustDomain()), state.trustDomain()));
        }
        if (!isClientLeaf(leaf)) {
            return refused(
                    "The certificate of %s is not one for a client: it needs key usage digitalSignature and clientAuth, and must not be a CA."
                            .formatted(identity.get()));
        }
        Instant start = leaf.getNotBefore().toInstant();
        Instant end = leaf.getNotAfter().toInstant();
        if (now.isAfter(end.plus(CLOCK_TOLERANCE))) {
            return refused("The certificate of %s ended at %s; enrol again with a new join token."
                    .formatted(identity.get(), end));
        }
        if (now.isBefore(start.minus(CLOCK_TOLERANCE))) {
            return refused("The certificate of %s begins at %s, which is in the future; check the clocks."
                    .formatted(identity.get(), start));
        }
        Instant at = now.isAfter(end) ? end : now.isBefore(start) ? start : now;
        if (!leadsToAnchor(chain, state, at)) {
            return refused(
                    "The certificate of %s was not issued under a root this mesh trusts now; enrol with a new join token."
                            .formatted(identity.get()));
        }
        return new Judgement.Proven(
                identity.get(),
                LeafProfile.instanceOf(leaf.getSubjectX500Principal()),
                end,
                Certificates.authorityKeyId(leaf));
    }

    private static Optional<String> onlyUri(X509Certificate leaf) {
        try {
            Collection<List<?>> names = leaf.getSubjectAlternativeNames();
            if (names == null) {
                return Optional.empty();
            }
            List<String> uris = names.stream()
                    .filter(name -> name.get(0) instanceof Integer kind && kind == URI_NAME)
                    .map(name -> String.valueOf(name.get(1)))
                    .toList();
            return uris.size() == 1 ? Optional.of(uris.getFirst()) : Optional.empty();
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
    }

    private static boolean isClientLeaf(X509Certificate leaf) {
        try {
            boolean[] usage = leaf.getKeyUsage();
            List<String> purposes = leaf.getExtendedKeyUsage();
            return leaf.getBasicConstraints() < 0
                    && usage != null
                    && usage[0]
                    && purposes != null
                    && purposes.contains(CLIENT_AUTHENTICATION);
        } catch (CertificateParsingException e) {
            return false;
        }
    }

    private static boolean leadsToAnchor(List<X509Certificate> chain, AuthorityState state, Instant at) {
        try {
            Set<TrustAnchor> anchors = state.roots().stream()
                    .map(root -> new TrustAnchor(root.certificate(), null))
                    .collect(Collectors.toSet());
            CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(chain);
            PKIXParameters parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(at));
            CertPathValidator.getInstance("PKIX").validate(path, parameters);
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static String shortened(String text) {
        return text.length() <= MAX_QUOTED ? text : text.substring(0, MAX_QUOTED) + "...";
    }

    private static Judgement refused(String sentence) {
        return new Judgement.Refused(sentence);
    }

    /** Whom a chain proves. */
    public sealed interface Judgement {
        /**
         * The caller is who it says.
         *
         * @param identity from the leaf's one URI name
         * @param instance uid of the pod the leaf was made for; empty when it names none
         * @param ends end of the leaf
         * @param issuer authority key identifier of the leaf, lower-case hex
         */
        record Proven(SpiffeId identity, String instance, Instant ends, String issuer) implements Judgement {
            public Proven {
                requireNonNull(identity, "identity");
                requireNonNull(instance, "instance");
                requireNonNull(ends, "ends");
                requireNonNull(issuer, "issuer");
            }
        }

        /** It is not; {@code sentence} says why and what to do. */
        record Refused(String sentence) implements Judgement {
            public Refused {
                requireNonNull(sentence, "sentence");
            }
        }
    }
}
