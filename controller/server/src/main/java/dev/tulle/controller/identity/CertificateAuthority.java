package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.TrustBundle;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs certificates with the current issuer, and exchanges issuer and root before they end.
 *
 * <p>Signing reads one immutable state; {@link #maintain} replaces it, first on disk, then in memory. Safe for all threads.
 */
public final class CertificateAuthority {
    /** Life of a leaf where nothing else is said. */
    public static final Duration DEFAULT_LEAF_LIFE = Duration.ofHours(24);

    private final StateDirectory directory;
    private final Clock clock;
    private final Duration leafLife;
    private final Certificates certificates;
    private volatile AuthorityState state;

    private CertificateAuthority(
            StateDirectory directory, Clock clock, Duration leafLife, Certificates certificates, AuthorityState state) {
        this.directory = directory;
        this.clock = clock;
        this.leafLife = leafLife;
        this.certificates = certificates;
        this.state = state;
    }

    /**
     * Takes up the state of a directory, or begins one.
     *
     * @param trustDomain what a new state is for, and what an old one must be for; absent takes what is there, else
     *     {@code cluster.local}
     * @throws UnusableState when the state cannot be read or written, or is of another trust domain
     */
    public static CertificateAuthority open(
            StateDirectory directory, Optional<String> trustDomain, Clock clock, Duration leafLife)
            throws UnusableState {
        requireNonNull(clock, "clock");
        Certificates certificates = new Certificates(new SecureRandom());
        AuthorityState state =
                directory.readOrCreate(() -> fresh(certificates, trustDomain.orElse("cluster.local"), clock.instant()));
        if (trustDomain.isPresent() && !trustDomain.get().equals(state.trustDomain())) {
            throw new UnusableState(
                    "the state directory is of the trust domain %s, not %s: leave --trust-domain away, or name another --state-dir"
                            .formatted(state.trustDomain(), trustDomain.get()));
        }
        return new CertificateAuthority(directory, clock, leafLife, certificates, state);
    }

    /** What is in effect now. */
    public AuthorityState state() {
        return state;
    }

    /** Whom the mesh trusts now. */
    public TrustBundle trust() {
        return state.trust();
    }

    public String trustDomain() {
        return state.trustDomain();
    }

    public Duration leafLife() {
        return leafLife;
    }

    /**
     * Signs a workload's leaf.
     *
     * @param key of a request that was checked, see {@link SigningRequest}
     * @return leaf, then issuer; the root is not part of it
     * @throws IllegalArgumentException for an identity of another trust domain
     */
    public List<X509Certificate> sign(PublicKey key, SpiffeId identity) {
        AuthorityState now = state;
        return chain(key, identity, now, now.issuer(), List.of(), List.of());
    }

    /**
     * Makes a key and a certificate for the controller's own server.
     *
     * @param names DNS names people may call it by
     * @param addresses likewise
     */
    public ServingIdentity serve(SpiffeId identity, List<String> names, List<String> addresses) {
        AuthorityState now = state;
        KeyPair keys = certificates.newKeyPair();
        List<X509Certificate> chain = chain(keys.getPublic(), identity, now, now.servingIssuer(), names, addresses);
        return new ServingIdentity(keys.getPrivate(), chain);
    }

    private List<X509Certificate> chain(
            PublicKey key,
            SpiffeId identity,
            AuthorityState now,
            SigningKey issuer,
            List<String> names,
            List<String> addresses) {
        if (!identity.trustDomain().equals(now.trustDomain())) {
            throw new IllegalArgumentException(
                    "%s is not of the trust domain %s".formatted(identity, now.trustDomain()));
        }
        LeafProfile profile = LeafProfile.ofWorkload(identity, clock.instant(), leafLife, issuer.notAfter())
                .reachableAs(names, addresses);
        return List.of(certificates.leaf(key, profile, issuer), issuer.certificate());
    }

    /**
     * Does what is due: the next step of a root rotation, or a new issuer. One step a call.
     *
     * @param requestedGeneration what the settings ask for; 1 when they say nothing
     * @param waiting whether some proxy has not yet done what the present phase waits for
     * @return whether the state changed
     * @throws UnusableState when the new state could not be written: then nothing has changed, and the next call tries again
     */
    public synchronized boolean maintain(long requestedGeneration, boolean waiting) throws UnusableState {
        AuthorityState before = state;
        AuthorityState after = due(before, requestedGeneration, waiting, clock.instant());
        if (after.equals(before)) {
            return false;
        }
        directory.write(after);
        state = after;
        return true;
    }

    private AuthorityState due(AuthorityState before, long requested, boolean waiting, Instant now) {
        boolean rootAges = !now.isBefore(before.roots().getLast().rotateAt());
        RootRotation next = before.rotation()
                .next(new RootRotation.Facts(requested, rootAges, waiting), now.truncatedTo(ChronoUnit.SECONDS));
        if (!next.equals(before.rotation())) {
            return enter(next, before, now);
        }
        if (!now.isBefore(before.issuer().rotateAt())) {
            SigningKey issuer = certificates.issuer(before.trustDomain(), before.signingRoot(), now);
            return with(before, next, before.roots(), issuer, before.formerIssuer());
        }
        return before;
    }

    private AuthorityState enter(RootRotation next, AuthorityState before, Instant now) {
        String domain = before.trustDomain();
        return switch (next) {
            case RootRotation.Settled settled
            when before.rotation() instanceof RootRotation.Settled ->
                with(before, settled, before.roots(), before.issuer(), before.formerIssuer());
            case RootRotation.Settled settled ->
                with(before, settled, List.of(before.roots().getLast()), before.issuer(), Optional.empty());
            case RootRotation.Trusting trusting -> {
                List<SigningKey> roots = new ArrayList<>(before.roots());
                roots.add(certificates.root(domain, now));
                yield with(before, trusting, roots, before.issuer(), Optional.empty());
            }
            case RootRotation.Signing signing -> {
                SigningKey issuer = certificates.issuer(domain, before.roots().getLast(), now);
                yield with(before, signing, before.roots(), issuer, Optional.of(before.issuer()));
            }
        };
    }

    private static AuthorityState with(
            AuthorityState before,
            RootRotation rotation,
            List<SigningKey> roots,
            SigningKey issuer,
            Optional<SigningKey> former) {
        return new AuthorityState(before.trustDomain(), before.tokenKey(), rotation, roots, issuer, former);
    }

    private static AuthorityState fresh(Certificates certificates, String trustDomain, Instant now) {
        AuthorityState.requireTrustDomain(trustDomain);
        SigningKey root = certificates.root(trustDomain, now);
        byte[] tokenKey = new byte[AuthorityState.TOKEN_KEY_BYTES];
        new SecureRandom().nextBytes(tokenKey);
        return new AuthorityState(
                trustDomain,
                new SecretKeySpec(tokenKey, AuthorityState.TOKEN_ALGORITHM),
                new RootRotation.Settled(0, now.truncatedTo(ChronoUnit.SECONDS)),
                List.of(root),
                certificates.issuer(trustDomain, root, now),
                Optional.empty());
    }

    /**
     * What the controller's own server shows.
     *
     * @param key of the first certificate
     * @param chain leaf, then issuer
     */
    public record ServingIdentity(PrivateKey key, List<X509Certificate> chain) {
        public ServingIdentity {
            requireNonNull(key, "key");
            chain = List.copyOf(chain);
        }

        /** When the next one should be made: two thirds of the leaf's life. */
        public Instant renewAt() {
            return Certificates.twoThirds(
                    chain.getFirst().getNotBefore().toInstant(),
                    chain.getFirst().getNotAfter().toInstant());
        }

        /** Subject key identifier of the issuer that signed it, lower-case hex. */
        public String issuerId() {
            return Certificates.authorityKeyId(chain.getFirst());
        }

        /** Names the certificate only: a key is never printed. */
        @Override
        public String toString() {
            return "ServingIdentity[" + chain.getFirst().getSerialNumber().toString(16) + "]";
        }
    }
}
