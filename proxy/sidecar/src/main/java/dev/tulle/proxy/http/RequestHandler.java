package dev.tulle.proxy.http;

/** Takes the requests of a server connection, one call each. */
public interface RequestHandler {
    /**
     * A request came.
     *
     * @param end whether it has no body
     * @param stream where the answer goes; may be answered inside this call
     * @return who hears the rest of the request
     */
    StreamListener onRequest(RequestHead head, boolean end, ServerStream stream);
}
