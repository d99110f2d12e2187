package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * Where the exchange of the root stands; each phase is written to disk before it takes effect.
 *
 * <pre>
 * Settled --(a larger generation is asked for, or the root ages)--> Trusting   new root made; both trusted, old signs
 * Trusting --(every proxy has taken the bundle with both)---------> Signing    new issuer signs; proxies renew
 * Signing --(every proxy's leaf is of the new issuer)-------------> Settled    old root forgotten
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
     */
    record Facts(long requested, boolean rootAges, boolean waiting) {}

    /** The next phase, or this one when nothing is to be done. */
    default RootRotation next(Facts facts, Instant now) {
        return switch (this) {
            // A fresh state takes over the number it finds: its root is as new as can be.
            case Settled(long generation, Instant since)
            when generation == 0 -> new Settled(Math.max(1, facts.requested()), since);
            case Settled settled
            when facts.requested() > settled.generation() || facts.rootAges() ->
                new Trusting(Math.max(settled.generation(), facts.requested()), now);
            case Trusting trusting when !facts.waiting() -> new Signing(trusting.generation(), now);
            case Signing signing when !facts.waiting() -> new Settled(signing.generation(), now);
            default -> this;
        };
    }
}
