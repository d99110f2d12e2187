package dev.tulle.controller.identity;

/** The state directory cannot be read or written; the message names the file and the cure, in one line. */
public final class UnusableState extends Exception {
    UnusableState(String message) {
        super(message);
    }

    UnusableState(String message, Throwable cause) {
        super(message, cause);
    }
}
