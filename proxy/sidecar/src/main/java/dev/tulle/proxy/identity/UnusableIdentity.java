package dev.tulle.proxy.identity;

/** This proxy cannot prove who it is, and waiting will not help; the message names the file or flag and the cure. */
public final class UnusableIdentity extends Exception {
    public UnusableIdentity(String problem) {
        super(problem);
    }

    /** What to tell the operator. */
    public String problem() {
        return String.valueOf(getMessage());
    }
}
