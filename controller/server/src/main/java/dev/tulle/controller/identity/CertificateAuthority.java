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
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs certificates with the current issuer, and exchanges issuer and root before they end.
 *
 * <p>Signing reads one immutable state; {@link #maintain} replaces it, first where it is kept, then in memory. Safe for all threads.
 */
public final class CertificateAuthority {
    /** Life of a leaf where nothing else is said. */
    public static final Duration DEFAULT_LEAF_LIFE = Duration.ofHours(24);

    private final AuthorityStore store;
    private final Clock clock;
    private final Duration leafLife;
    private final Certificates certificates;
    private volatile AuthorityState state;
    private volatile WantedIssuer wanted = new WantedIssuer.Ours();
    private volatile Predicate<AuthorityState> ready = now -> true;

    private CertificateAuthority(
            AuthorityStore store, Clock clock, Duration leafLife, Certificates certificates, AuthorityState state) {
        this.store = store;
        this.clock = clock;
        this.leafLife = leafLife;
        this.certificates = certificates;
        this.state = state;
    }

    /**
     * Takes up the state that is kept, or begins one with a root of ours.
     *
     * @param trustDomain what a new state is for, and what an old one must be for; absent takes what is there, else
     *     {@code cluster.local}
     * @throws UnusableState when the state cannot be read or written, or is of another trust domain
     */
    public static CertificateAuthority open(
            AuthorityStore store, Optional<String> trustDomain, Clock clock, Duration leafLife) throws UnusableState {
        return open(store, trustDomain, () -> "cluster.local", domain -> Optional.empty(), clock, leafLife);
    }

    /**
     * Takes up the state that is kept, or begins one.
     *
     * @param trustDomain as above
     * @param otherwise trust domain of a new state where the one above is absent
     * @param given the issuer that was given for a trust domain, asked for when a new state begins
     */
    public static CertificateAuthority open(
            AuthorityStore store,
            Optional<String> trustDomain,
            Supplier<String> otherwise,
            Function<String, Optional<GivenIssuer>> given,
            Clock clock,
            Duration leafLife)
            throws UnusableState {
        requireNonNull(clock, "clock");
        Certificates certificates = new Certificates(new SecureRandom());
        AuthorityState state = store.readOrCreate(() -> {
            String domain = AuthorityState.requireTrustDomain(trustDomain.orElseGet(otherwise));
            return fresh(certificates, domain, given.apply(domain), clock.instant());
        });
        if (trustDomain.isPresent() && !trustDomain.get().equals(state.trustDomain())) {
            throw new UnusableState("what is kept is of the trust domain %s, not %s: leave --trust-domain away, or %s"
                    .formatted(state.trustDomain(), trustDomain.get(), store.otherTrustDomain()));
        }
        return new CertificateAuthority(store, clock, leafLife, certificates, state);
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

    /** What to do to get another one; continues a sentence. */
    public String otherTrustDomain() {
        return store.otherTrustDomain();
    }

    public Duration leafLife() {
        return leafLife;
    }

    /** Whose issuer is to sign from now on; it is taken over by overlap, with the next {@link #maintain}. Ours until somebody says so. */
    public void want(WantedIssuer issuer) {
        wanted = issuer;
    }

    /** Asks before each step of a rotation whether what the present phase needs beside the proxies is done, such as spreading trust. */
    public void holdUntil(Predicate<AuthorityState> spread) {
        ready = spread;
    }

    /**
     * Signs a workload's leaf.
     *
     * @param key of a request that was checked, see {@link SigningRequest}
     * @return leaf, then issuers; the root is not part of it
     * @throws IllegalArgumentException for an identity of another trust domain, or when the issuer has ended
     */
    public List<X509Certificate> sign(PublicKey key, SpiffeId identity) {
        return sign(key, identity, "");
    }

    /** Likewise, for one pod. */
    public List<X509Certificate> sign(PublicKey key, SpiffeId identity, String instance) {
        AuthorityState now = state;
        return chain(
                key, now, now.issuer(), profile(identity, now, now.issuer()).ofInstance(instance));
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
        LeafProfile profile = profile(identity, now, now.servingIssuer()).reachableAs(names, addresses);
        return new ServingIdentity(keys.getPrivate(), chain(keys.getPublic(), now, now.servingIssuer(), profile));
    }

    private LeafProfile profile(SpiffeId identity, AuthorityState now, SigningKey issuer) {
        if (!identity.trustDomain().equals(now.trustDomain())) {
            throw new IllegalArgumentException(
                    "%s is not of the trust domain %s".formatted(identity, now.trustDomain()));
        }
        return LeafProfile.ofWorkload(identity, clock.instant(), leafLife, issuer.notAfter());
    }

    private List<X509Certificate> chain(PublicKey key, AuthorityState now, SigningKey issuer, LeafProfile profile) {
        List<X509Certificate> chain = new ArrayList<>();
        chain.add(certificates.leaf(key, profile, issuer));
        chain.addAll(now.below(issuer));
        return chain;
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
        AuthorityState after = due(before, wanted, requestedGeneration, waiting, clock.instant());
        if (after.equals(before)) {
            return false;
        }
        state = store.replace(before, after);
        return true;
    }

    /**
     * Looks whether what is kept is still what we hold, and takes over what another controller has written.
     *
     * @return whether the state changed
     * @throws UnusableState when what is kept is of no use; what we hold stays in effect
     */
    public synchronized boolean look() throws UnusableState {
        AuthorityState before = state;
        state = store.look(before);
        return !state.equals(before);
    }

    private AuthorityState due(
            AuthorityState before, WantedIssuer issuer, long requested, boolean waiting, Instant now) {
        Root newest = before.roots().getLast();
        // A root that was given is of no use until its issuer is known again.
        boolean unknown = issuer instanceof WantedIssuer.AsItIs && !newest.isOurs();
        RootRotation.Facts facts = new RootRotation.Facts(
                newest.isOurs() ? requested : before.rotation().generation(),
                newest.isOurs() && newest.ages(now),
                waiting || !ready.test(before) || (unknown && before.rotation() instanceof RootRotation.Trusting),
                wanted(before, issuer));
        RootRotation next = before.rotation().next(facts, now.truncatedTo(ChronoUnit.SECONDS));
        return next.equals(before.rotation()) ? issuerUpkeep(before, issuer, now) : enter(next, before, issuer, now);
    }

    private static RootRotation.Wanted wanted(AuthorityState before, WantedIssuer issuer) {
        if (isWanted(before.roots().getLast(), issuer)) {
            return RootRotation.Wanted.NEWEST;
        }
        return before.roots().size() > 1 && isWanted(before.roots().getFirst(), issuer)
                ? RootRotation.Wanted.FORMER
                : RootRotation.Wanted.ANOTHER;
    }

    private static boolean isWanted(Root root, WantedIssuer issuer) {
        return switch (issuer) {
            case WantedIssuer.AsItIs() -> true;
            case WantedIssuer.Ours() -> root.isOurs();
            case WantedIssuer.Given(GivenIssuer given) -> given.root().equals(root.certificate());
        };
    }

    /** The next issuer under the same root: ours when the present one ages, a given one when it was exchanged. */
    private AuthorityState issuerUpkeep(AuthorityState before, WantedIssuer issuer, Instant now) {
        Root root = before.signingRoot();
        if (root.isOurs()) {
            return now.isBefore(before.issuer().rotateAt())
                    ? before
                    : with(before, certificates.issuer(before.trustDomain(), root.signingKey(), now));
        }
        return issuer instanceof WantedIssuer.Given(GivenIssuer given)
                        && isWanted(root, issuer)
                        && !given.issuer().certificate().equals(before.issuer().certificate())
                ? with(before, given.issuer())
                : before;
    }

    private AuthorityState enter(RootRotation next, AuthorityState before, WantedIssuer issuer, Instant now) {
        String domain = before.trustDomain();
        Root oldest = before.roots().getFirst();
        Root newest = before.roots().getLast();
        return switch (next) {
            case RootRotation.Settled settled
            when before.rotation() instanceof RootRotation.Signing ->
                with(before, settled, List.of(newest), before.issuer(), Optional.empty());
            case RootRotation.Settled settled ->
                with(before, settled, List.of(oldest), before.issuer(), Optional.empty());
            case RootRotation.Trusting trusting -> {
                Root added = issuer instanceof WantedIssuer.Given(GivenIssuer given)
                        ? Root.theirs(given.root())
                        : Root.ours(certificates.root(domain, now));
                yield with(before, trusting, List.of(oldest, added), before.issuer(), Optional.empty());
            }
            case RootRotation.Signing signing -> {
                SigningKey signer = issuer instanceof WantedIssuer.Given(GivenIssuer given)
                        ? given.issuer()
                        : certificates.issuer(domain, newest.signingKey(), now);
                yield with(before, signing, before.roots(), signer, Optional.of(before.issuer()));
            }
        };
    }

    private static AuthorityState with(AuthorityState before, SigningKey issuer) {
        return with(before, before.rotation(), before.roots(), issuer, before.formerIssuer());
    }

    private static AuthorityState with(
            AuthorityState before,
            RootRotation rotation,
            List<Root> roots,
            SigningKey issuer,
            Optional<SigningKey> former) {
        return new AuthorityState(before.trustDomain(), before.tokenKey(), rotation, roots, issuer, former);
    }

    private static AuthorityState fresh(
            Certificates certificates, String trustDomain, Optional<GivenIssuer> given, Instant now) {
        Root root = given.map(one -> Root.theirs(one.root()))
                .orElseGet(() -> Root.ours(certificates.root(trustDomain, now)));
        SigningKey issuer = given.map(GivenIssuer::issuer)
                .orElseGet(() -> certificates.issuer(trustDomain, root.signingKey(), now));
        byte[] tokenKey = new byte[AuthorityState.TOKEN_KEY_BYTES];
        new SecureRandom().nextBytes(tokenKey);
        return new AuthorityState(
                trustDomain,
                new SecretKeySpec(tokenKey, AuthorityState.TOKEN_ALGORITHM),
                new RootRotation.Settled(0, now.truncatedTo(ChronoUnit.SECONDS)),
                List.of(root),
                issuer,
                Optional.empty());
    }

    /**
     * What the controller's own server shows.
     *
     * @param key of the first certificate
     * @param chain leaf, then issuers
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
