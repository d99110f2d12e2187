package dev.tulle.proxy.model;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Whom a workload proves to be: {@code spiffe://<trust-domain>/ns/<namespace>/sa/<service-account>}.
 *
 * <p>Only this form is accepted, in lower case, without port, user, query or fragment. Source: SPIFFE-ID, section 2;
 * names as DNS labels or subdomains, RFC 1123.
 *
 * @param trustDomain lower-case DNS name, at most 255 characters
 * @param namespace Kubernetes namespace name
 * @param serviceAccount Kubernetes service account name
 */
public record SpiffeId(String trustDomain, String namespace, String serviceAccount) implements Comparable<SpiffeId> {
    private static final Pattern TRUST_DOMAIN = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,253}[a-z0-9])?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");
    private static final Pattern URI = Pattern.compile("spiffe://([^/]+)/ns/([^/]+)/sa/([^/]+)");
    private static final int MAX_URI_LENGTH = 2048;

    public SpiffeId {
        require(TRUST_DOMAIN, requireNonNull(trustDomain, "trustDomain"), "trust domain");
        require(NAME, requireNonNull(namespace, "namespace"), "namespace");
        require(NAME, requireNonNull(serviceAccount, "serviceAccount"), "service account");
    }

    /** The identity a URI stands for, or empty when it is not exactly of our form. */
    public static Optional<SpiffeId> parse(String uri) {
        if (uri.length() > MAX_URI_LENGTH) {
            return Optional.empty();
        }
        var matcher = URI.matcher(uri);
        if (!matcher.matches()
                || !TRUST_DOMAIN.matcher(matcher.group(1)).matches()
                || !NAME.matcher(matcher.group(2)).matches()
                || !NAME.matcher(matcher.group(3)).matches()) {
            return Optional.empty();
        }
        return Optional.of(new SpiffeId(matcher.group(1), matcher.group(2), matcher.group(3)));
    }

    /** The identity as a URI, as it stands in a certificate. */
    public String uri() {
        return "spiffe://" + trustDomain + "/ns/" + namespace + "/sa/" + serviceAccount;
    }

    @Override
    public int compareTo(SpiffeId other) {
        return uri().compareTo(other.uri());
    }

    @Override
    public String toString() {
        return uri();
    }

    private static void require(Pattern pattern, String value, String what) {
        if (!pattern.matcher(value).matches()) {
            throw new IllegalArgumentException("not a %s: '%s'".formatted(what, value));
        }
    }
}
