package dev.tulle.controller.identity;

/** The state directory cannot be read or written; the message names the file and the cure, in one line. */
public final class UnusableState extends Exception {
    public UnusableState(String message) {
        super(message);
    }

    public UnusableState(String message, Throwable cause) {
        super(message, cause);
    }
}
