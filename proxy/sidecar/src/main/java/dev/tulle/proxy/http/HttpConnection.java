package dev.tulle.proxy.http;

/** A client connection that carries requests. Event loop only. */
public interface HttpConnection {
    /** Sends the head of a request. Only while {@link #hasRoom}. */
    ClientStream open(RequestHead head, boolean end, ResponseListener listener);

    /** Whether one more request may be opened now. */
    boolean hasRoom();

    /**
     * Whether nothing has moved on it for about a second, so that its server, which ends such connections without a word, may be about
     * to do so: not for what must not be sent twice. Never so where the server says which requests it has not seen.
     */
    default boolean hasRested() {
        return false;
    }

    /** Whether no stream is under way. */
    boolean isIdle();

    /** Takes no further request and closes once those under way have ended. */
    void drain();

    /** Closes at once. */
    void close();
}
