package dev.tulle.proxy;

/** The proxy could not start; the message names the flag, file or port concerned and the cure. */
public final class StartFailure extends Exception {
    public StartFailure(String problem, Throwable cause) {
        super(problem, cause);
    }

    /** What to tell the operator. */
    public String problem() {
        return String.valueOf(getMessage());
    }
}
