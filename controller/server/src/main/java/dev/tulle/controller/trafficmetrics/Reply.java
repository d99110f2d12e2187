package dev.tulle.controller.trafficmetrics;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Optional;

/**
 * What goes back.
 *
 * @param status HTTP's
 * @param body a document, or a Status of Kubernetes that says in a sentence what is the matter
 * @param retryAfter when to ask again
 */
record Reply(int status, ObjectNode body, Optional<Duration> retryAfter) {
    Reply {
        requireNonNull(body, "body");
        requireNonNull(retryAfter, "retryAfter");
    }

    static Reply of(ObjectNode body) {
        return new Reply(200, body, Optional.empty());
    }

    /** @param reason a word of Kubernetes' */
    static Reply refusal(int status, String reason, String sentence) {
        ObjectNode body =
                JsonNodeFactory.instance.objectNode().put("kind", "Status").put("apiVersion", "v1");
        body.putObject("metadata");
        body.put("status", "Failure")
                .put("message", sentence)
                .put("reason", reason)
                .put("code", status);
        return new Reply(status, body, Optional.empty());
    }

    /** There is no answer yet. */
    static Reply later(Duration after, String sentence) {
        Reply refusal = refusal(503, "ServiceUnavailable", sentence);
        refusal.body().putObject("details").put("retryAfterSeconds", after.toSeconds());
        return new Reply(503, refusal.body(), Optional.of(after));
    }
}
