package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * Whom the mesh trusts now.
 *
 * @param trustDomain the name the anchors cover
 * @param anchors PEM certificates, one each, oldest first; during a root rotation both old and new
 * @param issuer lower-case hex subject key identifier of the issuer that signs now; a proxy whose leaf has another authority
 *     key identifier renews. Empty where nobody signs (a config from a file)
 */
public record TrustBundle(String trustDomain, List<String> anchors, String issuer) {
    public TrustBundle {
        requireNonNull(trustDomain, "trustDomain");
        anchors = List.copyOf(anchors);
        requireNonNull(issuer, "issuer");
    }
}
