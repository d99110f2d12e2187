package dev.tulle.controller.identity;

/** A certificate was asked for that is not given; the message is one sentence for the asker, with the cure. */
public final class RefusedRequest extends Exception {
    public RefusedRequest(String message) {
        super(message);
    }
}
