package dev.tulle.proxy.http;

/** Who keeps client connections, as a pool does. Event loop only. */
public interface ConnectionOwner {
    /** A stream ended: the connection may have room again. */
    void onRoom(HttpConnection connection);

    /** The connection takes no more requests; streams under way may still end. */
    void onUnusable(HttpConnection connection);
}
