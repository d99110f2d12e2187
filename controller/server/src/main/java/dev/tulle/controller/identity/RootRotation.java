package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * Where the exchange of the root stands; each phase is kept before it takes effect.
 *
 * <pre>
 * Settled --(a larger generation, an aging root, another issuer given)--> Trusting   new root; both trusted, old signs
 * Trusting --(every proxy has taken the bundle with both)---------------> Signing    new issuer signs; proxies renew
 * Trusting --(the older root is wanted again)---------------------------> Settled    new root forgotten
 * Signing --(every proxy's leaf is of the new issuer)-------------------> Settled    old root forgotten
 * </pre>
 */
public sealed interface RootRotation {
    /** The largest generation ever asked for and begun; 0 before the first one was adopted. */
    long generation();

    /** When this phase began. */
    Instant since();

    /** The wire word. */
    String phase();

    /** One root, nothing under way. */
    record Settled(long generation, Instant since) implements RootRotation {
        public Settled {
            requireNonNull(since, "since");
        }

        @Override
        public String phase() {
            return "settled";
        }
    }

    /** Two roots are trusted, the old one signs. */
    record Trusting(long generation, Instant since) implements RootRotation {
        public Trusting {
            requireNonNull(since, "since");
        }

        @Override
        public String phase() {
            return "trusting";
        }
    }

    /** Two roots are trusted, the new one signs. */
    record Signing(long generation, Instant since) implements RootRotation {
        public Signing {
            requireNonNull(since, "since");
        }

        @Override
        public String phase() {
            return "signing";
        }
    }

    /**
     * What decides about the next step.
     *
     * @param requested generation that the settings ask for, 1 when they say nothing
     * @param rootAges whether the root has passed two thirds of its life
     * @param waiting whether some proxy has not yet done what this phase waits for
     * @param wanted which root the mesh is to end up with
     */
    record Facts(long requested, boolean rootAges, boolean waiting, Wanted wanted) {
        public Facts {
            requireNonNull(wanted, "wanted");
        }

        /** The newest root is the one that is wanted. */
        Facts(long requested, boolean rootAges, boolean waiting) {
            this(requested, rootAges, waiting, Wanted.NEWEST);
        }
    }

    /** Which root the mesh is to end up with, seen from those it trusts. */
    enum Wanted {
        /** The one trusted last. */
        NEWEST,
        /** The older one of two: the exchange under way is no longer wanted. */
        FORMER,
        /** One that is not trusted yet: an issuer was given to us, or taken away. */
        ANOTHER
    }

    /** The next phase, or this one when nothing is to be done. */
    default RootRotation next(Facts facts, Instant now) {
        return switch (this) {
            // A fresh state takes over the number it finds: its root is as new as can be.
            case Settled(long generation, Instant since)
            when generation == 0 -> new Settled(Math.max(1, facts.requested()), since);
            case Settled settled
            when facts.requested() > settled.generation() || facts.rootAges() || facts.wanted() == Wanted.ANOTHER ->
                new Trusting(Math.max(settled.generation(), facts.requested()), now);
            // Nothing was signed by the newest root yet: it can be left, or another one take its place.
            case Trusting trusting when facts.wanted() == Wanted.FORMER -> new Settled(trusting.generation(), now);
            case Trusting trusting when facts.wanted() == Wanted.ANOTHER -> new Trusting(trusting.generation(), now);
            case Trusting trusting when !facts.waiting() -> new Signing(trusting.generation(), now);
            case Signing signing when !facts.waiting() -> new Settled(signing.generation(), now);
            default -> this;
        };
    }
}
