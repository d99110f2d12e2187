package dev.tulle.proxy.http;

/** The server's end of a stream: writes one answer. */
public interface ServerStream extends StreamEnd {
    /** Sends an informational answer (100, 103) before the final one. */
    void inform(ResponseHead head);

    /** Sends the head of the final answer; 101 turns the rest of the stream into plain bytes both ways. */
    void respond(ResponseHead head, boolean end);
}
