package dev.tulle.proxy.identity;

/** What two proxies of the mesh may speak inside their TLS connection; of several that are offered, the callee takes the first here. */
public enum Alpn {
    /** HTTP/2. */
    H2("h2"),
    /** Requests that were made by HTTP/1.1 and are answered by it, each a stream of one HTTP/2 connection on the way between. */
    TULLE_HTTP1("tulle-http1"),
    /** HTTP/1.1. */
    HTTP_1_1("http/1.1"),
    /** Opaque bytes. */
    TULLE_TCP("tulle-tcp");

    private final String wireName;

    Alpn(String wireName) {
        this.wireName = wireName;
    }

    /** The protocol name of the TLS extension. */
    public String wireName() {
        return wireName;
    }
}
