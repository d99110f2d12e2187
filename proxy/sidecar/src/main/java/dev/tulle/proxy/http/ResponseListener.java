package dev.tulle.proxy.http;

/** Hears the answer to one request. */
public interface ResponseListener extends StreamListener {
    /** An informational answer came; the final one follows. */
    void onInform(ResponseHead head);

    /** The head of the final answer came; 101 makes all that follows plain bytes both ways. */
    void onResponse(ResponseHead head, boolean end);
}
