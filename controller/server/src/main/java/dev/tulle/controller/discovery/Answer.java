package dev.tulle.controller.discovery;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;

/**
 * An HTTP answer that is known whole.
 *
 * @param status HTTP status
 * @param body JSON
 * @param sentence why it is a refusal; empty when it is none
 */
record Answer(int status, String body, String sentence) {
    /** The caller did nothing wrong and may come again; no problem is made of it. */
    static final int NOT_YET = 503;

    Answer {
        requireNonNull(body, "body");
        requireNonNull(sentence, "sentence");
    }

    /** What was asked for. */
    static Answer ok(String body) {
        return new Answer(200, body, "");
    }

    /** A refusal in one sentence. */
    static Answer refusal(int status, String sentence) {
        String body =
                JsonNodeFactory.instance.objectNode().put("error", sentence).toString();
        return new Answer(status, body, sentence);
    }
}
