package dev.tulle.controller.identity;

import static java.util.Objects.requireNonNull;

/** Whose issuer is to sign. */
public sealed interface WantedIssuer {
    /** One of ours, under a root of ours. */
    record Ours() implements WantedIssuer {}

    /** The one that was given to us. */
    record Given(GivenIssuer issuer) implements WantedIssuer {
        public Given {
            requireNonNull(issuer, "issuer");
        }
    }

    /** Whichever signs now: it is not known whether one was given, or the one that was given is of no use. */
    record AsItIs() implements WantedIssuer {}
}
