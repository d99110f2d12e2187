package dev.tulle.proxy.http;

/** A connection that was accepted and can be asked to end. Event loop only. */
public interface ServerConnection {
    /** Takes nothing new; closes once what is under way has ended. */
    void drain();

    /** Closes at once. */
    void close();
}
