package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.TrustBundle;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.crypto.spec.SecretKeySpec;

/**
 * Everything the certificate authority must not lose, as one value: written whole, so no part can disagree with another.
 *
 * @param trustDomain what every certificate is constrained to
 * @param tokenKey signs join tokens; {@value #TOKEN_KEY_BYTES} bytes
 * @param rotation where the exchange of the root stands
 * @param roots oldest first; two while a rotation is under way
 * @param issuer signs the workloads' leaves
 * @param formerIssuer under the older root, only in phase {@link RootRotation.Signing}: signs the controller's own leaf, so that
 *     those who know the older root alone can still call
 */
public record AuthorityState(
        String trustDomain,
        SecretKeySpec tokenKey,
        RootRotation rotation,
        List<Root> roots,
        SigningKey issuer,
        Optional<SigningKey> formerIssuer) {
    static final int TOKEN_KEY_BYTES = 32;

    static final String TOKEN_ALGORITHM = "HmacSHA256";

    /** Also what certificate libraries take for a host in a URI: labels of letters, digits and hyphens, the last one not a number. */
    private static final Pattern TRUST_DOMAIN =
            Pattern.compile("([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)*[a-z]([a-z0-9-]*[a-z0-9])?");

    private static final int MAX_TRUST_DOMAIN = 253;

    public AuthorityState {
        requireTrustDomain(trustDomain);
        requireNonNull(tokenKey, "tokenKey");
        requireNonNull(rotation, "rotation");
        roots = List.copyOf(roots);
        requireNonNull(issuer, "issuer");
        requireNonNull(formerIssuer, "formerIssuer");
        int expected = rotation instanceof RootRotation.Settled ? 1 : 2;
        if (roots.size() != expected) {
            throw new IllegalArgumentException(
                    "%d roots in phase %s, not %d".formatted(roots.size(), rotation.phase(), expected));
        }
        if (formerIssuer.isPresent() != rotation instanceof RootRotation.Signing) {
            throw new IllegalArgumentException("a former issuer belongs to phase signing, not " + rotation.phase());
        }
        int tokenKeyBytes = tokenKey.getEncoded().length;
        if (tokenKeyBytes != TOKEN_KEY_BYTES) {
            throw new IllegalArgumentException(
                    "token key of %d bytes, not %d".formatted(tokenKeyBytes, TOKEN_KEY_BYTES));
        }
    }

    /** Refuses a name that could not stand in a certificate; the text quotes it. */
    public static String requireTrustDomain(String name) {
        if (name.length() > MAX_TRUST_DOMAIN || !TRUST_DOMAIN.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "not a trust domain: '%s' (a lower-case DNS name such as cluster.local)".formatted(name));
        }
        return name;
    }

    /** The root of the issuer that signs now. */
    Root signingRoot() {
        return rotation instanceof RootRotation.Trusting ? roots.getFirst() : roots.getLast();
    }

    /** Signs the controller's own leaf. */
    SigningKey servingIssuer() {
        return formerIssuer.orElse(issuer);
    }

    /** Whether the root was given to us: then it is exchanged where it came from, not by a generation. */
    public boolean isGiven() {
        return !roots.getLast().isOurs();
    }

    /** Whether the issuer that signs now was given to us. */
    public boolean isIssuerGiven() {
        return !signingRoot().isOurs();
    }

    /** Whether two states are of one authority, perhaps some steps apart: they trust a root in common. */
    public boolean isAkinTo(AuthorityState other) {
        return trustDomain.equals(other.trustDomain)
                && roots.stream()
                        .anyMatch(root -> other.roots.stream()
                                .anyMatch(one -> one.certificate().equals(root.certificate())));
    }

    /** What is shown below a leaf of an issuer: all that stands between it and the roots. */
    List<X509Certificate> below(SigningKey signer) {
        return Stream.concat(Stream.of(signer.certificate()), signer.above().stream())
                .filter(certificate ->
                        roots.stream().noneMatch(root -> root.certificate().equals(certificate)))
                .toList();
    }

    /** Whom the mesh trusts now. */
    public TrustBundle trust() {
        return new TrustBundle(
                trustDomain,
                roots.stream().map(root -> Pem.of(root.certificate())).toList(),
                issuer.id());
    }

    /** Never the keys. */
    @Override
    public String toString() {
        return "AuthorityState[%s, %s, roots %s, issuer %s]".formatted(trustDomain, rotation, roots, issuer);
    }
}
