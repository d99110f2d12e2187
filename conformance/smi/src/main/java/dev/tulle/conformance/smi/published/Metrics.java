package dev.tulle.conformance.smi.published;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What an application took down, as its {@code GET /metrics} tells it.
 *
 * @param received names of the callers of {@code /call} and {@code /echo}, in the order they came
 * @param succeeded its own requests that were answered with 200 to 399, each as {@code METHOD URL}
 * @param failed those that were answered with another status; one without an answer is nowhere
 */
record Metrics(List<String> received, List<String> succeeded, List<String> failed) {
    static Metrics of(JsonNode answer) {
        List<String> received = new ArrayList<>();
        answer.path("ReqReceived").forEach(caller -> received.add(caller.asText()));
        return new Metrics(received, requests(answer.path("RespSucceeded")), requests(answer.path("RespFailed")));
    }

    @Override
    public String toString() {
        return succeeded.isEmpty() && failed.isEmpty()
                ? "no answer at all"
                : "allowed %s, refused with a status %s".formatted(succeeded, failed);
    }

    private static List<String> requests(JsonNode list) {
        List<String> all = new ArrayList<>();
        list.forEach(one ->
                all.add(one.path("Method").asText() + " " + one.path("URL").asText()));
        return all;
    }
}
