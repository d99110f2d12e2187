package dev.tulle.controller.identity;

import java.util.function.Supplier;

/**
 * Where the authority's state outlives the process: a directory, or a Secret.
 *
 * <p>Whatever it is, it holds the one document of {@link AuthorityFile}, made once and never made anew over one that is there or was lost.
 */
public interface AuthorityStore {
    /**
     * The state that is there, or else the one that is made now; safe against another process doing the same.
     *
     * @throws UnusableState when it is damaged, lost, or cannot be reached
     */
    AuthorityState readOrCreate(Supplier<AuthorityState> fresh) throws UnusableState;

    /**
     * Replaces one state by the next.
     *
     * @param held what the caller works with
     * @return what is kept now: {@code next}, or what another controller has written meanwhile, which then counts instead
     * @throws UnusableState when it could not be written: what was there is still there
     */
    AuthorityState replace(AuthorityState held, AuthorityState next) throws UnusableState;

    /**
     * What counts of what is kept and what is held, where others may change the one.
     *
     * @return {@code held}, or what another controller has written
     * @throws UnusableState when what is kept is damaged or of another authority; it is left as it is
     */
    default AuthorityState look(AuthorityState held) throws UnusableState {
        return held;
    }

    /** What to do where this one is of another trust domain; continues a sentence. */
    String otherTrustDomain();
}
